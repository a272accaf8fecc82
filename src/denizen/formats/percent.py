"""Percent-encoding of paths in addresses by RFC 3986, section 2.1 (pure).

`urllib.parse` has it too, and its import takes 7 ms, for which a program would wait that misses a library.
"""

from __future__ import annotations

# Section 2.3; "/" separates the segments of a path.
_UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"


def percent_encoded(path: bytes, safe: bytes = b"/") -> str:
    """Return the path with every byte encoded that is neither unreserved nor in `safe`."""
    plain = frozenset(_UNRESERVED + safe)
    return "".join([chr(byte) if byte in plain else f"%{byte:02X}" for byte in path])
