"""Libraries that came with a program where its run path does not lead (pure over a FileView).

A vendor's wrapper script would set LD_LIBRARY_PATH, or an installer make links; a person who only has
the files has neither. A name is looked for by file name, then by DT_SONAME among files named alike:

    DIR/*.so*                   DIR is the program's directory
    DIR/LIBRARIES/**            LIBRARIES: lib*, or what `_HOLDERS` names
    DIR/../LIBRARIES/**
    DIR/../*.so*                where DIR is called as directories of programs are (`_PROGRAMS`)

Nothing else: the program's neighbours may be other programs with libraries of their own, unpacked in the
same downloads directory, and what they brought must not change what this one gets.

Limits: `MAX_ENTRIES` names are looked at, `DEPTH` directories deep; a directory that programs share by
custom is not a program's own.
"""

from __future__ import annotations

import posixpath

from denizen.errors import BadInput
from denizen.fileview import Kind
from denizen.resolve.world import is_outside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.elf import Header, Image
    from denizen.resolve.remembered import Remembered

MAX_ENTRIES = 5_000
DEPTH = 3
GLIBC_PRIVATE = b"GLIBC_PRIVATE"
_SHARED = frozenset(
    b"/ /bin /home /lib /media /mnt /opt /root /run /sbin /srv /tmp /usr /usr/bin /usr/lib /usr/local "
    b"/usr/local/bin /usr/sbin /var /var/tmp".split(b" ")
)
_BELOW_SHARED = (b"/home", b"/media", b"/mnt")
# An AppDir's usr/lib, a Java runtime's lib/server, and what Qt, Steam's runtime and others call theirs.
_HOLDERS = frozenset(b"Qt bin jre jbr native node_modules plugins prebuilds runtime shared usr".split(b" "))
# Libraries, and what Node.js calls its own.
_SHAPES = (b".so", b".node")
_LIBRARIES = frozenset(b"lib lib32 lib64 libs".split(b" "))
_PROGRAMS = frozenset(b"bin bin32 bin64 libexec linux linux32 linux64 sbin".split(b" "))


class Bundle:
    """What lies beside a program, gone through once when first asked."""

    def __init__(self, view: Remembered, program: bytes) -> None:
        self._view = view
        self._program = view.realpath(program)
        self._files: dict[bytes, list[bytes]] | None = None

    @property
    def paths(self) -> list[bytes]:
        """Every library-shaped name in the program's own places, sorted."""
        return sorted(path for paths in self._walked().values() for path in paths)

    def find(self, soname: bytes, header: Header) -> bytes | None:
        """The library of that name for the machine of `header`; the nearest one."""
        files = self._walked()
        for path in files.get(soname, ()):
            if self._image_fits(path, header, None):
                return path
        stem = soname.partition(b".so")[0]
        alike = [path for name in files if name.startswith(stem + b".so") for path in files[name]]
        return next((path for path in alike if self._image_fits(path, header, soname)), None)

    def _walked(self) -> dict[bytes, list[bytes]]:
        if self._files is None:
            found: dict[bytes, list[bytes]] = {}
            for path in self._below(posixpath.dirname(self._program)):
                found.setdefault(posixpath.basename(path), []).append(path)
            self._files = dict(sorted(found.items()))
        return self._files

    def _below(self, directory: bytes) -> Iterator[bytes]:
        """Every library-shaped name in the program's own places, near ones first, each once."""
        left, seen = MAX_ENTRIES, set[bytes]()
        pending = [(place, 0) for place in _own_directories(directory)]
        for here, depth in pending:
            if here in seen:
                continue
            seen.add(here)
            takes = depth > 0 or here == directory or posixpath.basename(directory) in _PROGRAMS
            for name in self._names(here)[:left]:
                left -= 1
                path = posixpath.join(here, name)
                if any(shape in name for shape in _SHAPES):
                    if takes:
                        yield path
                elif (
                    _holds_libraries(name, near=takes) if depth == 0 else depth < DEPTH
                ) and self._is_directory(path):
                    pending.append((path, depth + 1))

    def _names(self, directory: bytes) -> tuple[bytes, ...]:
        try:
            return self._view.listdir(directory)
        except OSError:
            return ()

    def _is_directory(self, path: bytes) -> bool:
        try:
            return self._view.lstat(path).kind is Kind.DIRECTORY
        except OSError:
            return False

    def _image_fits(self, path: bytes, header: Header, soname: bytes | None) -> bool:
        try:
            image = self._view.image(path)
            dynamic = image.dynamic
        except (OSError, BadInput):
            return False
        same = (image.header.bits, image.header.machine) == (header.bits, header.machine)
        fits = same and dynamic is not None and soname in (None, dynamic.soname)
        return fits and not is_part_of_libc(image)


def is_part_of_libc(image: Image) -> bool:
    """Whether it uses what only its own glibc has; a copy of it cannot be mixed with another's libc.so.6."""
    return any(version.name == GLIBC_PRIVATE for need in image.version_needs for version in need.versions)


def _holds_libraries(name: bytes, *, near: bool) -> bool:
    """In a parent that may hold other things than one program, `libphp` is called after what it is."""
    return name in _HOLDERS or (name.startswith(b"lib") if near else name in _LIBRARIES)


def _own_directories(directory: bytes) -> list[bytes]:
    """The directory of a program, and its parent's where that is not many programs'."""
    parent = posixpath.dirname(directory)
    if is_outside(directory) or directory in _SHARED:
        return []
    shared = parent in _SHARED or posixpath.dirname(parent) in _BELOW_SHARED
    return [directory] if shared else [directory, parent]
