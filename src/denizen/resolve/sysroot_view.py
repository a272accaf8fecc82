"""The worlds a program is looked at in: with nothing outside, and with what was chosen (pure).

A `Sysroot` is the file tree less what belongs to the machine: the directories every program searches, and
the dynamic linker's configuration. What is left is the program and what came with it. To that it adds one
directory, `LIBRARIES`, with each chosen library under the name it is asked by (what `builtin:libraries`
will make in the store), and the chosen dynamic linker at the path the program names. With nothing chosen
it is the empty outside world. Or it is the machine as it stands, with that directory besides.
"""

from __future__ import annotations

import errno
import posixpath
from functools import lru_cache

from denizen.fileview import FileKind, Stat
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from denizen.bytesio import Buffer
    from denizen.fileview import FileView

# No file system has it; a program that names it in its run path finds what it would find in the store.
LIBRARIES = b"/.denizen-libraries"
_CONFIGURATION = (b"/etc/ld.so.cache", b"/etc/ld.so.conf", b"/etc/ld.so.preload", b"/etc/ld-musl-")
_PREFIXES = (b"/usr/local/", b"/usr/", b"/")


@value
class Piece:
    """A file of the furnished world: where its bytes are."""

    view: FileView
    path: bytes


class Sysroot:
    """A FileView of a program, what came with it, and what was chosen for it."""

    def __init__(
        self,
        view: FileView,
        libraries: Mapping[bytes, Piece],
        interpreter: tuple[bytes, Piece] | None = None,
        visible: frozenset[bytes] = frozenset(),
        *,
        host: bool = False,
    ) -> None:
        """See `view` without the machine's libraries but for those in `visible`; `host`: with all of them."""
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
        # Objects that lie together look for the same libraries in the same places: 448 of PySide's ask
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


class Without:
    """A FileView in which some files, by their resolved paths, are not there."""

    def __init__(self, view: FileView, paths: Collection[bytes]) -> None:
        self._view = view
        self._paths = frozenset(paths)

    def stat(self, path: bytes) -> Stat:
        return self._view.stat(self._seen(path))

    def lstat(self, path: bytes) -> Stat:
        return self._view.lstat(path)

    def readlink(self, path: bytes) -> bytes:
        return self._view.readlink(path)

    def realpath(self, path: bytes) -> bytes:
        return self._view.realpath(path)

    def listdir(self, path: bytes) -> tuple[bytes, ...]:
        return self._view.listdir(path)

    def read(self, path: bytes) -> Buffer:
        return self._view.read(self._seen(path))

    def _seen(self, path: bytes) -> bytes:
        if self._view.realpath(path) in self._paths:
            raise OSError(errno.ENOENT, "left out", path)
        return path


@lru_cache(maxsize=1 << 16)
def is_outside(path: bytes) -> bool:
    """Whether a path belongs to the machine: a directory every program searches, or what is in one.

    /usr/lib/program/libown.so does not: a program found it by a path of its own.
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
