"""File locks between processes, and session files that name the objects operations in progress need.

All are flock(2) on files, so that the kernel releases them however a process ends. Three kinds:

- the store's lock, held for the moments in which the set of valid objects changes or must not
  change: naming a temporary root, placing and registering an object, a collection from reading the
  roots to renaming away what is dead. That one lock is what makes the argument for invariant 4 short:
  what is named a temporary root before a collection takes the lock is seen by it, and what is named
  after, is checked for validity after the collection.
- one lock per session file, held as long as the operation runs. A session file whose lock can be
  taken belongs to a process that died.
- one lock per output, so that two processes build a thing once.

Order, to exclude deadlock: output locks, then the store's lock; nothing is waited for under the latter.
"""

from __future__ import annotations

import errno
import fcntl
import os

from denizen.contexts import contextmanager, suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from denizen.formats.storepath import StorePath
    from denizen.store.layout import StoreLayout

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


@contextmanager
def store_lock(layout: StoreLayout) -> Iterator[None]:
    """Hold the store's lock."""
    descriptor = os.open(layout.locks + b"/store", _FLAGS, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            # Closing alone would not do: a process that was forked meanwhile has the lock open too.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


@contextmanager
def output_lock(layout: StoreLayout, output: StorePath) -> Iterator[None]:
    """Hold the lock of one output; its lock file is removed afterwards."""
    path = output.inside(layout.locks)
    descriptor = _lock_present(path)
    try:
        yield
    finally:
        # While the lock is held, so that whoever waits for it finds the file gone and starts again.
        with suppress(FileNotFoundError):
            os.unlink(path)
        os.close(descriptor)


def _lock_present(path: bytes) -> int:
    """Return a locked descriptor of the file that is at `path` when the lock is taken."""
    while True:
        descriptor = os.open(path, _FLAGS, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink:
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


class StoreSession:
    """An operation in progress, with a session file that names the objects it needs.

    Attributes:
        token: names the session; the names of its temporary trees begin with it.
    """

    def __init__(self, layout: StoreLayout) -> None:
        self._layout = layout
        self._trees = 0
        self.token = b"%d.%s" % (os.getpid(), os.urandom(6).hex().encode())
        self._path = layout.sessions + b"/" + self.token
        # Under the store's lock: a collection takes a session file that is not locked for a dead session's.
        with store_lock(layout):
            self._descriptor = os.open(self._path, _FLAGS | os.O_EXCL | os.O_APPEND, 0o644)
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BaseException:
                self.close()
                raise

    def need(self, paths: Iterable[StorePath]) -> None:
        """Record objects that must not be deleted while the session lasts. The caller holds the store's lock.

        Raises OSError where the names could not be written completely.
        """
        lines = "".join([f"{path}\n" for path in paths]).encode("ascii")
        # A partly written line names another object, so a short write must be an error.
        if os.write(self._descriptor, lines) != len(lines):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self._path)

    def new_tree(self) -> bytes:
        """Return an unused temporary name in the store directory."""
        self._trees += 1
        return temporary_prefix(self.token) + b"%d" % self._trees

    def close(self) -> None:
        """End the session; the objects it needed are no longer kept."""
        with suppress(FileNotFoundError):
            os.unlink(self._path)
        os.close(self._descriptor)


def temporary_prefix(token: bytes) -> bytes:
    """Return the prefix of the names of a session's temporary trees."""
    return b".tmp-%s-" % token


def live_sessions(layout: StoreLayout) -> dict[bytes, frozenset[str]]:
    """Return the sessions in progress with the objects each needs; remove the files of dead sessions.

    The caller holds the store's lock, so no session begins or names an object meanwhile.
    """
    found: dict[bytes, frozenset[str]] = {}
    for token in os.listdir(layout.sessions):
        path = layout.sessions + b"/" + token
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(path)
        except BlockingIOError:
            with open(descriptor, "rb", closefd=False) as stream:
                found[token] = frozenset(stream.read().decode("ascii").split())
        except FileNotFoundError:
            continue
        finally:
            os.close(descriptor)
    return found
