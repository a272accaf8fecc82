"""The file that makes a directory a store: format and logical store directory (pure).

Two lines: `denizen-store 1`, and `store-dir: ` with the logical store directory, its bytes other than
printable ASCII without `%` written as `%` and two hexadecimal digits.
"""

from __future__ import annotations

_MAGIC = b"denizen-store 1\nstore-dir: "
MAX_SIZE = 64 * 1024
_PLAIN = frozenset(range(0x21, 0x7F)) - {0x25}


def write(logical: bytes) -> bytes:
    """Return the content of the marker of a store whose paths were computed for `logical`."""
    quoted = b"".join([bytes((byte,)) if byte in _PLAIN else b"%%%02x" % byte for byte in logical])
    return _MAGIC + quoted + b"\n"


def read(content: bytes, path: bytes) -> bytes:
    """Return the logical store directory from a marker's content.

    Raises:
        BadMarker: `content`, read from `path`, is no marker.
    """
    if not content.startswith(_MAGIC) or not content.endswith(b"\n"):
        from denizen.store.object_errors import BadMarker

        raise BadMarker(path)
    first, *quoted = content[len(_MAGIC) : -1].split(b"%")
    try:
        logical = first + b"".join([bytes.fromhex(q[:2].decode("ascii")) + q[2:] for q in quoted])
    except ValueError:
        from denizen.store.object_errors import BadMarker

        raise BadMarker(path) from None
    if not logical.startswith(b"/") or write(logical) != content:
        from denizen.store.object_errors import BadMarker

        raise BadMarker(path)
    return logical
