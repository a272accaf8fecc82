"""Partial files of transfers, locked so that one process at a time writes one.

Partial files are named by the hash of the complete file, so that any process can resume a transfer that
another began. A process that writes one holds a lock on it (flock(2)), which the kernel releases when the
process dies. A partial file is unlinked only by the holder of its lock: otherwise a second file of the same
name could have a second writer.
"""

from __future__ import annotations

import contextlib
import fcntl
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

POLL = 0.05


@contextlib.contextmanager
def held(path: bytes, waiting: Callable[[float], None]) -> Iterator[None]:
    """Hold the lock of a partial file, created if absent; an empty file is removed at the end.

    `waiting` is called with the seconds to wait while another process holds it, and may raise. Raises
    OSError.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            _lock(descriptor, waiting)
            # The previous holder may have finished and renamed the file.
            if _is_at(descriptor, path):
                try:
                    yield
                finally:
                    if _is_at(descriptor, path) and not os.fstat(descriptor).st_size:
                        os.unlink(path)
                return
        finally:
            os.close(descriptor)


def _lock(descriptor: int, waiting: Callable[[float], None]) -> None:
    # Polled, because a thread that sleeps in flock(2) could not be cancelled.
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting(POLL)
        else:
            return


def _is_at(descriptor: int, path: bytes) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    return False
