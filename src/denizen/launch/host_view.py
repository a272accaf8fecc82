"""The host as it is without our loader (pure over a FileView).

Inside a namespace of ours the loader lies over the host's own dynamic linker; installed, it stands where
there is none. Whoever asks whether the *host* satisfies a program must see neither.
"""

from __future__ import annotations

import errno
import posixpath

from denizen.launch.loader.settings import NotALoader, settings_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from denizen.bytesio import Buffer
    from denizen.fileview import FileView, Stat
    from denizen.launch.loader.settings import LoaderSettings

# A larger file is no loader of ours, and need not be read to know it.
MAX_LOADER = 1 << 20


def loader_at(view: FileView, interpreter: bytes) -> LoaderSettings | None:
    """The settings of our loader at this path; None where there is none."""
    try:
        if view.stat(interpreter).size > MAX_LOADER:
            return None
        return settings_of(view.read(interpreter))
    except (OSError, NotALoader):
        return None


class HostView:
    """A view in which one path, and what it leads to, is another file or none."""

    def __init__(self, view: FileView, interpreter: bytes, instead: bytes) -> None:
        """See `view` with `instead` at `interpreter`; b"": nothing is there."""
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
        """By another name of its directory: /lib is a link to /usr/lib."""
        if posixpath.basename(path) not in self._names:
            return False
        try:
            return self._view.realpath(path) == self._real
        except OSError:
            return False


def host_view(view: FileView, interpreters: Iterable[bytes]) -> FileView:
    """`view` without our loader at these paths, with what it hides there."""
    for interpreter in dict.fromkeys(interpreters):
        settings = loader_at(view, interpreter)
        view = view if settings is None else HostView(view, interpreter, settings.host_ldso)
    return view
