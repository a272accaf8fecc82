"""The file os-release: which distribution a host is (pure).

Specification: os-release(5). A line is NAME=VALUE, the value quoted as a shell has it; others are comments or
of no use, and are passed over.
"""

from __future__ import annotations

import re

_LINE = re.compile(rb"""([A-Z][A-Z0-9_]*)=(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s"'\\]*))[ \t\r]*""")
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)


def os_release(content: bytes) -> dict[bytes, bytes]:
    """Return the fields of the file; of a name that occurs twice the last."""
    found = {}
    for line in content.split(b"\n"):
        field = _LINE.fullmatch(line)
        if field is not None:
            name, double, single, bare = field.groups()
            found[name] = _ESCAPED.sub(rb"\1", double) if double is not None else single or bare or b""
    return found
