"""Verification of cached files by their hash.

A file in the cache may have been truncated by a full disk, changed by hand, or given another file's name.
So its content is hashed at its first use in a process: 1.2 to 1.6 GB/s, 2 ms for 3 MB.
"""

from __future__ import annotations

import os

# Files verified in this process: path, stat(2) fields, and the hash in hex.
_right: set[tuple[bytes, int, int, int, int, int, str]] = set()


def is_as_promised(path: bytes, sha256: str) -> bool:
    """Return whether the file at `path` has the SHA-256 `sha256`, in hex; False if it cannot be read."""
    try:
        with open(path, "rb", buffering=0, opener=_opened) as stream:
            key = _key(path, os.fstat(stream.fileno()), sha256)
            if key not in _right:
                import hashlib  # OpenSSL, 2.7 ms

                if hashlib.file_digest(stream, "sha256").hexdigest() != sha256:
                    return False
                _right.add(key)
    except (OSError, ValueError):  # ValueError: file_digest of a non-blocking file without data (a FIFO)
        return False
    return True


def note_as_promised(path: bytes, sha256: str) -> None:
    """Record that the file at `path` was verified while it was written."""
    _right.add(_key(path, os.stat(path), sha256))


def _opened(path: str, flags: int) -> int:
    # NONBLOCK: a FIFO in the file's place must not hang.
    return os.open(path, flags | os.O_NONBLOCK)


def _key(path: bytes, facts: os.stat_result, sha256: str) -> tuple[bytes, int, int, int, int, int, str]:
    times = (facts.st_mtime_ns, facts.st_ctime_ns)
    return path, facts.st_dev, facts.st_ino, facts.st_size, *times, sha256
