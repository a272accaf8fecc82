"""A lock by which one process at a time decides about a program."""

from __future__ import annotations

import contextlib
import errno
import os

from denizen.disk import FULL, LOCKLESS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# Number of lock files; a hash of a program's identity selects one. Programs with the same one wait for
# each other.
_LOCKS = 64
# Nor in what is no directory, or one that takes none (a HOME below a file; /proc).
_UNWRITABLE = frozenset({errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.ENOENT}) | FULL


@contextlib.contextmanager
def deciding_alone(state: bytes, program: bytes) -> Iterator[None]:
    """Hold the lock for decisions about the file at `program`; wait while another process holds it.

    In a read-only or full directory no decision can be kept, so no lock is needed; the program's own faults
    are still to be reported. On a file system without locks nobody waits: decisions are replaced as a whole.
    Raises OSError: there is no such program.
    """
    import fcntl

    from denizen.disk import make_directories, written_by_owner
    from denizen.sha256 import digest_of

    facts = os.stat(program)
    key = b"%d %d" % (facts.st_dev, facts.st_ino)
    number = digest_of(key)[0] % _LOCKS
    directory = os.path.join(state, b"locks")
    try:
        make_directories(state, 0o711)
        make_directories(directory, 0o700)
        path = os.path.join(directory, b"%02d" % number)
        lock = open(path, "wb", opener=written_by_owner)  # noqa: SIM115  # closed below
    except OSError as problem:
        if problem.errno not in _UNWRITABLE:
            raise
        yield
        return
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as problem:
            if problem.errno not in LOCKLESS:
                raise
        yield
