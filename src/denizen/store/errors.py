"""What the store says when the kernel refuses."""

from __future__ import annotations

import contextlib
import errno
import os

from denizen.errors import HostLacks, display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_REMEDIES = {
    errno.ENOSPC: "denizen gc",
    errno.EDQUOT: "denizen gc",
    errno.EMFILE: "ulimit -n 65536",
}


# SQLite's smallest need: the index of its log, one file of 32 KiB, and a page.
_ROOM = 64 * 1024


def is_full(path: bytes) -> bool:
    """Return whether the file system of `path` has no room worth the name; what cannot be asked has some."""
    try:
        facts = os.statvfs(path)
    except OSError:
        return False
    return facts.f_bavail * facts.f_frsize < _ROOM


class DiskFailed(HostLacks):
    """A file system operation of the store failed; nothing was registered.

    Attributes:
        operation: what the store was about: "add /home/u/x".
        path: the file the kernel was asked about.
        code: errno.
    """

    operation: str
    path: bytes
    code: int
    WHAT = "cannot {operation:text}"

    @property
    def why(self) -> str:
        return f"{os.strerror(self.code)}: {display(self.path)}"

    @property
    def remedy(self) -> str:
        return _REMEDIES.get(self.code, "")


@contextlib.contextmanager
def doing(operation: str, path: bytes) -> Iterator[None]:
    """Turn an OSError inside into a DiskFailed that says what was being done, and to what."""
    try:
        yield
    except OSError as error:
        name = error.filename
        about = os.fsencode(name) if isinstance(name, str | bytes) else path
        raise DiskFailed(f"{operation} {display(path)}", about, error.errno or 0) from error
