"""Licences in the copyright file of a Debian package (pure).

Specification: Machine-readable debian/copyright file 1.0 (DEP-5). Older files are prose: of those nothing is
told.
"""

from __future__ import annotations

import re

_FIELD = re.compile(rb"^License:[ \t]*([^\n]*)$", re.MULTILINE | re.IGNORECASE)
_FORMAT = re.compile(rb"\A\s*(?:\xef\xbb\xbf)?Format(?:-Specification)?:", re.IGNORECASE)
# Bytes. The longest of Debian's own (chromium) has 2 MB.
MAX_SIZE = 4 << 20
_MAX_NAMES = 500


def licences(content: bytes) -> tuple[str, ...]:
    """Return the short names of the licences, each once in the order of the file; () for prose."""
    if len(content) > MAX_SIZE or not _FORMAT.match(content):
        return ()
    names = (found.group(1).strip().decode("utf-8", "replace") for found in _FIELD.finditer(content))
    return tuple(dict.fromkeys(name for name in names if name))[:_MAX_NAMES]
