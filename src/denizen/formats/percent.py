"""Percent-encoding of paths and addresses by RFC 3986, section 2.1 (pure).

`urllib.parse` has it too, and its import takes 7 ms, for which a program would wait that misses a library.
"""

from __future__ import annotations

# Section 2.3; "/" separates the segments of a path.
_UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"


def percent_encoded(path: bytes, safe: bytes = b"/") -> str:
    """Return the path with every byte encoded that is neither unreserved nor in `safe`."""
    plain = frozenset(_UNRESERVED + safe)
    return "".join([chr(byte) if byte in plain else f"%{byte:02X}" for byte in path])


def encoded_as_word(address: bytes) -> str:
    """Return an address as one word of printable ASCII: a list of sources has no other quoting."""
    return percent_encoded(address, bytes(range(0x21, 0x7F)))


def path_as_word(path: bytes) -> str:
    """Return an absolute path as one word of printable ASCII: itself, else as a file: address (RFC 8089)."""
    word = encoded_as_word(path)
    return word if word.encode() == path else "file://" + percent_encoded(path)
