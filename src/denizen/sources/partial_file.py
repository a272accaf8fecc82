"""The file a transfer goes to until it is whole: one process at a time writes it, others wait.

Partial files are named by the hash of what they must become, so that any process can resume what another
began. The right to write one is a lock on it (flock(2)), which the kernel takes back when its holder dies.
Nobody unlinks a partial file without holding it: a second one under the same name would have a second writer.
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
    """Hold a partial file, made if there is none; an empty one is removed at the end.

    `waiting` is called with seconds to pass while another process holds it, and may raise. Raises OSError.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            _lock(descriptor, waiting)
            # The one who held it may have finished: then its file has another name by now.
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
    # Asked for again and again, because a thread that sleeps in flock(2) could not be cancelled.
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
