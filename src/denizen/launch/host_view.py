"""A view of the host without denizen's loader (pure over a FileView).

In one of denizen's namespaces the loader covers the host's own dynamic linker; after installation it stands
where there is none. The question whether the *host* satisfies a program must not see the loader in either
case.
"""

from __future__ import annotations

import errno
import posixpath

from denizen.launch.loader.loader_settings import MAX_LOADER, NotALoader, settings_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from denizen.bytesio import Buffer
    from denizen.fileview import FileView, Stat
    from denizen.launch.loader.loader_settings import LoaderSettings


def loader_at(view: FileView, interpreter: bytes) -> LoaderSettings | None:
    """Return the settings of denizen's loader at this path; None if the file is not one."""
    try:
        if view.stat(interpreter).size > MAX_LOADER:
            return None
        return settings_of(view.read(interpreter))
    except (OSError, NotALoader):
        return None


class HostView:
    """A view in which one path, and the file that it leads to, is replaced by another file or hidden."""

    def __init__(self, view: FileView, interpreter: bytes, instead: bytes) -> None:
        """Show `view` with the file `instead` at `interpreter`; with b"" there is none."""
        self._view = view
        self._instead = instead
        self._real = view.realpath(interpreter)
        self._hidden = {interpreter, self._real}
        self._names = {posixpath.basename(path) for path in self._hidden}

    def stat(self, path: bytes) -> Stat:
        return self._view.stat(self._seen(path))

    def lstat(self, path: bytes) -> Stat:
        return self._view.lstat(self._seen(path))

    def readlink(self, path: bytes) -> bytes:
        return self._view.readlink(self._seen(path))

    def realpath(self, path: bytes) -> bytes:
        return self._view.realpath(self._seen(path))

    def listdir(self, path: bytes) -> tuple[bytes, ...]:
        return self._view.listdir(self._seen(path))

    def read(self, path: bytes) -> Buffer:
        return self._view.read(self._seen(path))

    def _seen(self, path: bytes) -> bytes:
        if path not in self._hidden and not self._leads_there(path):
            return path
        if not self._instead:
            raise FileNotFoundError(errno.ENOENT, "hidden", path)
        return self._instead

    def _leads_there(self, path: bytes) -> bool:
        """Tell whether a path leads to the interpreter by another name of its directory.

        /lib, for one, is a link to /usr/lib.
        """
        if posixpath.basename(path) not in self._names:
            return False
        try:
            return self._view.realpath(path) == self._real
        except OSError:
            return False


def host_view(view: FileView, interpreters: Iterable[bytes]) -> FileView:
    """Return `view` without denizen's loader at these paths, and with the files that it covers."""
    for interpreter in dict.fromkeys(interpreters):
        settings = loader_at(view, interpreter)
        view = view if settings is None else HostView(view, interpreter, settings.host_ldso)
    return view
