"""Durability: one syncfs(2) for all files written, instead of one fsync(2) per file.

Measured on ext4 over virtio: fsync 0.5 ms for each file, so 10 files cost 4.9 ms one by one and 2.8 ms
with one syncfs, and a tree of 5,000 files 2.6 s against 0.1. syncfs also covers directories, which
fsync per file would need besides. Its price: it waits for what other programs have written to the
same file system. Since Linux 5.8 it reports a failed write-back of any file written after the
descriptor was opened, which is why the descriptor is opened before the writing starts; older
kernels report such a failure only to fsync of the file itself.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def file_system_of(directory: bytes) -> int:
    """Return a descriptor for `sync`; open it before writing the files it shall cover."""
    return os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def sync(descriptor: int) -> None:
    """Write all data of the descriptor's file system to the disk; returns when that is done.

    Raises OSError where a write to the disk failed.
    """
    global _syncfs  # noqa: PLW0603  # looked up once a process: ctypes costs 2 ms and only writers need it
    if _syncfs is None:
        _syncfs = _find_syncfs()
    _syncfs(descriptor)


_syncfs: Callable[[int], None] | None = None


def _find_syncfs() -> Callable[[int], None]:
    try:
        import ctypes

        function = ctypes.CDLL(None, use_errno=True).syncfs
    except (ImportError, OSError, AttributeError):
        # No ctypes, or a libc older than 2011: sync(2) covers every file system, and on Linux waits.
        return lambda _: os.sync()

    def syncfs(descriptor: int) -> None:
        if function(descriptor) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))

    return syncfs
