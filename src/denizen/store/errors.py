"""DiskFailed, the error for failed system calls of the store, and the test for a full disk."""

from __future__ import annotations

import errno
import os
import sys

from denizen.contexts import contextmanager
from denizen.disk import FULL, more_files
from denizen.errors import HostLacks, display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_REMEDIES = dict.fromkeys(FULL, "denizen gc")


# Bytes SQLite needs at least: the index of its log, one file of 32 KiB, and a page.
_ROOM = 64 * 1024
# SQLite writes one byte into each 4 KiB of that index, and smaller blocks between them stay holes: a write
# into one where the disk is full ends the process by SIGBUS (unixShmMap in SQLite's os_unix.c). So much room
# has to be left there for what the process writes elsewhere meanwhile.
_WRITTEN_BLOCK, _ROOM_WITH_HOLES = 4096, 1024 * 1024


def is_full(path: bytes) -> bool:
    """Return whether the file system of `path` has less than `_ROOM` bytes free.

    Returns False where statvfs(2) fails.
    """
    return _free(path)[0] < _ROOM


def leaves_holes(path: bytes) -> bool:
    """Return whether a log's index beside `path` would have holes for which the disk may have no room."""
    free, block = _free(path)
    return block < _WRITTEN_BLOCK and free < _ROOM_WITH_HOLES


def _free(path: bytes) -> tuple[int, int]:
    """Return the free bytes of the file system of `path`, and its blocks' size; much where nobody knows."""
    try:
        facts = os.statvfs(path)
    except OSError:
        return sys.maxsize, _WRITTEN_BLOCK
    return facts.f_bavail * facts.f_frsize, facts.f_bsize


class DiskFailed(HostLacks):
    """A file system operation of the store failed; nothing was registered.

    Attributes:
        operation: the step that failed, with its object: "add /home/u/x".
        path: the file that the failed system call named.
        code: errno.
        reason: what is wrong with the file, where denizen found it and not the kernel.
    """

    operation: str
    path: bytes
    code: int
    reason: str = ""
    WHAT = "cannot {operation:text}"

    @property
    def why(self) -> str:
        return f"{self.reason or os.strerror(self.code)}: {display(self.path)}"

    @property
    def remedy(self) -> str:
        return more_files() if self.code == errno.EMFILE else _REMEDIES.get(self.code, "")


@contextmanager
def doing(operation: str, path: bytes, failure: type[DiskFailed] = DiskFailed) -> Iterator[None]:
    """Turn an OSError raised inside into a DiskFailed with `operation` and `path`."""
    try:
        yield
    except OSError as error:
        name = error.filename
        about = os.fsencode(name) if isinstance(name, str | bytes) else path
        raise failure(
            f"{operation} {display(path)}", about, error.errno or 0, error.strerror or ""
        ) from error
