"""File trees in which the linker model sees a program: without a system, or with chosen libraries (pure).

Without a system, or with the chosen libraries (pure).

A `Sysroot` is the file tree without the host's part: the directories that every program searches, and the
dynamic linker's configuration. The program and the files that came with it remain. One directory is added,
`LIBRARIES`, with each chosen library under the name by which it is needed (as `builtin:libraries` will make
it in the store), and the chosen dynamic linker at the path that the program names. With nothing chosen it is
the empty system. With `host` it is the host's file tree with that directory added.
"""

from __future__ import annotations

import errno
import posixpath
from functools import lru_cache

from denizen.fileview import FileKind, ForwardingView, Stat
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from denizen.bytesio import Buffer
    from denizen.fileview import FileView

# The directory of the chosen libraries in the model; no real file system has it.
LIBRARIES = b"/.denizen-libraries"
_CONFIGURATION = (b"/etc/ld.so.cache", b"/etc/ld.so.conf", b"/etc/ld.so.preload", b"/etc/ld-musl-")
_PREFIXES = (b"/usr/local/", b"/usr/", b"/")


class ChosenFile(Value):
    """A chosen file: its path and the view in which it is read."""

    view: FileView
    path: bytes


class Sysroot:
    """A FileView of a program, the files that came with it, and the chosen libraries."""

    def __init__(
        self,
        view: FileView,
        libraries: Mapping[bytes, ChosenFile],
        interpreter: tuple[bytes, ChosenFile] | None = None,
        visible: frozenset[bytes] = frozenset(),
        *,
        host: bool = False,
    ) -> None:
        """Show `view` without the host's libraries except those in `visible`.

        With `host`, all of the host's libraries are shown.
        """
        self._view = view
        self._host = host
        self._visible = visible
        self._pieces = {LIBRARIES + b"/" + name: piece for name, piece in libraries.items()}
        self._read: dict[bytes, Buffer | OSError] = {}
        if interpreter is not None:
            self._pieces[interpreter[0]] = interpreter[1]

    def stat(self, path: bytes) -> Stat:
        piece = self._pieces.get(path)
        if piece is not None:
            return piece.view.stat(piece.path)
        if path.rstrip(b"/") == LIBRARIES:
            return Stat(FileKind.DIRECTORY, 0o40755, 0, 0, 0)
        return self._view.stat(self._seen(path))

    def lstat(self, path: bytes) -> Stat:
        return self.stat(path) if path in self._pieces else self._view.lstat(self._seen(path))

    def readlink(self, path: bytes) -> bytes:
        return self._view.readlink(self._seen(path))

    def realpath(self, path: bytes) -> bytes:
        return path if path in self._pieces else self._view.realpath(self._seen(path))

    def listdir(self, path: bytes) -> tuple[bytes, ...]:
        return self._view.listdir(self._seen(path))

    def read(self, path: bytes) -> Buffer:
        # Objects that lie together search the same directories for the same libraries: PySide's 448 ask
        # for 16,000 paths 284,000 times.
        known = self._read.get(path)
        if known is None:
            known = self._read[path] = self._first_read(path)
        if isinstance(known, OSError):
            raise known
        return known

    def _first_read(self, path: bytes) -> Buffer | OSError:
        piece = self._pieces.get(path)
        try:
            return self._view.read(self._seen(path)) if piece is None else piece.view.read(piece.path)
        except OSError as problem:
            return OSError(problem.errno, problem.strerror, path)

    def _seen(self, path: bytes) -> bytes:
        if not self._host and path not in self._visible and is_outside(path):
            raise OSError(errno.ENOENT, "outside", path)
        return path


class Without(ForwardingView):
    """A FileView in which some files, given by their resolved paths, are missing."""

    def __init__(self, view: FileView, paths: Collection[bytes]) -> None:
        self._view = view
        self._paths = frozenset(paths)

    def stat(self, path: bytes) -> Stat:
        return self._view.stat(self._seen(path))

    def read(self, path: bytes) -> Buffer:
        return self._view.read(self._seen(path))

    def _seen(self, path: bytes) -> bytes:
        if self._view.realpath(path) in self._paths:
            raise OSError(errno.ENOENT, "left out", path)
        return path


@lru_cache(maxsize=1 << 16)
def is_outside(path: bytes) -> bool:
    """Tell whether a path belongs to the host: a directory that every program searches, or a file in one.

    /usr/lib/program/libown.so does not: a program finds it by a path of its own.
    """
    path = posixpath.normpath(path)
    if path.startswith(_CONFIGURATION):
        return True
    prefix = next((p for p in _PREFIXES if path.startswith(p)), None)
    if prefix is None:
        return False
    top, *rest = path[len(prefix) :].split(b"/")
    if not top.startswith(b"lib"):
        return False
    while rest and (b"-linux-" in rest[0] or rest[0] == b"glibc-hwcaps" or rest[0].startswith(b"x86-64-v")):
        rest = rest[1:]
    return len(rest) <= 1
