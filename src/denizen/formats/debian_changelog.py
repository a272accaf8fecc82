"""The newest version in the changelog of a Debian package, gzipped as the package has it (pure).

Specification: Debian Policy 4.4 and 12.7; deb-changelog(5). The first line is
`SOURCE (VERSION) SUITE; urgency=…`.
"""

from __future__ import annotations

import re
import zlib

# Bytes that are decompressed: more than any first line has.
_HEAD = 4096
_GZIP = 16 + zlib.MAX_WBITS
_FIRST_LINE = re.compile(rb"\A\s{0,64}[^\s()]{1,200} \(([0-9][0-9A-Za-z.+~:-]{0,200})\)")


def newest_version(content: bytes) -> bytes:
    """Return the version of the source package; b"" where the content begins with none."""
    try:
        head = zlib.decompressobj(_GZIP).decompress(content, _HEAD)
    except zlib.error:
        return b""
    found = _FIRST_LINE.match(head)
    return found[1] if found else b""
