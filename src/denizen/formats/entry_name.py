"""The rule for names of entries in a directory (pure).

It has a module of its own because profiles check names without reading a tree.
"""

from __future__ import annotations

# The kernel's limit in bytes (linux/limits.h).
MAX_NAME = 255


def is_entry_name(name: bytes) -> bool:
    """Return whether `name` can be the name of an entry in a directory: no `.`, no `..`, no slash.

    The readers of NARs (nar/reader.py) and archives (archive_tree.py) refuse what is none, and so do unions.
    """
    return 0 < len(name) <= MAX_NAME and name not in (b".", b"..") and b"/" not in name and b"\0" not in name
