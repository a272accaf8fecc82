"""Libraries that came with a program and that its run path does not reach (pure over a FileView).

A vendor's wrapper script would set LD_LIBRARY_PATH, or an installer make links; a person who only has
the files has neither. Files belong to a program where they lie as one tree with it:

    DIR/*.so*                   DIR is the program's directory; by file name
    DIR/LIBRARIES/**            LIBRARIES: lib*, or what `_HOLDERS` names; by file name, then by DT_SONAME
    DIR/../LIBRARIES/**         the same
    DIR/../*.so*                where DIR is called as directories of programs are (`_PROGRAMS`)

Nothing else: the program's neighbours may be other programs with libraries of their own, unpacked in the
same downloads directory, and what they brought must not change what this one gets. A file directly beside
the program that is a library by its DT_SONAME alone, which ld.so would never open by that name, is
`unproven`: it serves where no package has the name, and that is told. Directories that programs share, and
those that others can write to (`sharing`), hold nothing of a program's; what they hold of that name is told.

Limits: `MAX_ENTRIES` names are looked at, `DEPTH` directories deep.
"""

from __future__ import annotations

import posixpath

from denizen.errors import BadInput
from denizen.fileview import FileKind
from denizen.linker.c_library import is_part_of_libc
from denizen.resolve.shared_directories import SharedDirectories

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from denizen.elf import Header
    from denizen.resolve.cache.cached_view import CachedView

MAX_ENTRIES = 5_000
DEPTH = 3
# Names of library directories: of AppDirs, Java runtimes (lib/server), Qt, Steam's runtime and others.
_HOLDERS = frozenset(b"Qt bin jre jbr native node_modules plugins prebuilds runtime shared usr".split(b" "))
# Name endings of libraries and of Node.js add-ons.
_SHAPES = (b".so", b".node")
_LIBRARIES = frozenset(b"lib lib32 lib64 libs".split(b" "))
_PROGRAMS = frozenset(b"bin bin32 bin64 libexec linux linux32 linux64 sbin".split(b" "))


class Bundle:
    """The libraries beside a program; the directories are read once, at the first question."""

    def __init__(self, view: CachedView, program: bytes) -> None:
        self._view = view
        self._program = view.realpath(program)
        self._home = posixpath.dirname(self._program)
        self._sharing = SharedDirectories(view, self._program)
        self._files: dict[bytes, list[bytes]] | None = None

    @property
    def paths(self) -> list[bytes]:
        """The paths of all files named like libraries in the program's own directories, sorted."""
        return sorted(path for paths in self._walked().values() for path in paths)

    def find(self, soname: bytes, header: Header) -> bytes | None:
        """Return the nearest of the program's own libraries with this name, for the machine of `header`.

        Return None if there is none.
        """
        files = self._walked()
        for path in files.get(soname, ()):
            if self._image_fits(path, header, None):
                return path
        alike = [path for path in self._alike(soname) if posixpath.dirname(path) != self._home]
        return self._first_fitting(alike, soname, header)

    def unproven(self, soname: bytes, header: Header) -> bytes | None:
        """Return a file directly beside the program that has the name as its DT_SONAME only.

        Return None if there is none.
        """
        alike = [path for path in self._alike(soname) if posixpath.dirname(path) == self._home]
        return self._first_fitting(alike, soname, header)

    def stranger(self, soname: bytes, header: Header) -> bytes | None:
        """Return a library of that name in the program's directory if many programs share the directory.

        Return None otherwise.
        """
        if not self._sharing.is_shared(self._home):
            return None
        names = [name for name in self._names(self._home) if name.startswith(_stem(soname))][:MAX_ENTRIES]
        paths = [posixpath.join(self._home, name) for name in names]
        return next((path for path in paths if self._is_called(path, soname, header)), None)

    def _is_called(self, path: bytes, soname: bytes, header: Header) -> bool:
        called = posixpath.basename(path) == soname
        return _is_library(path) and self._image_fits(path, header, None if called else soname, anybodys=True)

    def _alike(self, soname: bytes) -> Iterator[bytes]:
        stem = _stem(soname)
        return (path for name, paths in self._walked().items() if name.startswith(stem) for path in paths)

    def _first_fitting(self, paths: Iterable[bytes], soname: bytes, header: Header) -> bytes | None:
        return next((path for path in paths if self._image_fits(path, header, soname)), None)

    def _walked(self) -> dict[bytes, list[bytes]]:
        if self._files is None:
            found: dict[bytes, list[bytes]] = {}
            for path in self._below(self._home):
                found.setdefault(posixpath.basename(path), []).append(path)
            self._files = dict(sorted(found.items()))
        return self._files

    def _below(self, directory: bytes) -> Iterator[bytes]:
        """Yield each file named like a library in the program's own directories, the nearest first."""
        left, seen = MAX_ENTRIES, set[bytes]()
        pending = [(place, 0) for place in self._own_directories(directory)]
        for here, depth in pending:
            if here in seen:
                continue
            seen.add(here)
            takes = depth > 0 or here == directory or posixpath.basename(directory) in _PROGRAMS
            for name in self._names(here)[:left]:
                left -= 1
                path = posixpath.join(here, name)
                if _is_library(path):
                    if takes:
                        yield path
                elif (
                    _holds_libraries(name, near=takes) if depth == 0 else depth < DEPTH
                ) and self._is_own_directory(path):
                    pending.append((path, depth + 1))

    def _own_directories(self, directory: bytes) -> list[bytes]:
        """Return the program's directory and its parent, without those that many programs share."""
        if self._sharing.is_shared(directory):
            return []
        parent = posixpath.dirname(directory)
        return [directory] if self._sharing.is_shared(parent) else [directory, parent]

    def _names(self, directory: bytes) -> tuple[bytes, ...]:
        try:
            return self._view.listdir(directory)
        except OSError:
            return ()

    def _is_own_directory(self, path: bytes) -> bool:
        try:
            facts = self._view.lstat(path)
        except OSError:
            return False
        return facts.kind is FileKind.DIRECTORY and self._sharing.is_guarded(facts)

    def _image_fits(
        self, path: bytes, header: Header, soname: bytes | None, *, anybodys: bool = False
    ) -> bool:
        try:
            if not (anybodys or self._sharing.is_guarded(self._view.stat(path))):
                return False
            image = self._view.image(path)
            dynamic = image.dynamic
        except (OSError, BadInput):
            return False
        same = (image.header.bits, image.header.machine) == (header.bits, header.machine)
        fits = same and dynamic is not None and soname in (None, dynamic.soname)
        return fits and not is_part_of_libc(image)


def _holds_libraries(name: bytes, *, near: bool) -> bool:
    """Tell whether a directory of this name holds libraries of the program.

    `near`: its parent belongs to this program alone. In a parent with other contents `libphp` may be a
    program's name, and `libfoo-1.2` anywhere is another unpacked download.
    """
    own = name.startswith(b"lib") and not any(mark in name for mark in b"-.")
    return name in _HOLDERS or (own if near else name in _LIBRARIES)


def _is_library(path: bytes) -> bool:
    name = posixpath.basename(path)
    return any(shape in name for shape in _SHAPES)


def _stem(soname: bytes) -> bytes:
    return soname.partition(b".so")[0] + b".so"
