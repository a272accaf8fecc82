"""Missing libraries that lie beside the program, where it does not search (pure over a FileView)."""

from __future__ import annotations

import posixpath

from denizen.elf import read
from denizen.errors import BadInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from denizen.elf import Image
    from denizen.fileview import FileView

# Directories of a program's own libraries outside its run path: those that vendors' start scripts
# put into LD_LIBRARY_PATH.
NEARBY = (b".", b"lib", b"lib64", b"libs", b"../lib", b"../lib64", b"../libs", b"..")
# A directory with more entries is not searched: it is not a bundle's.
MAX_NEARBY = 5_000


def files_beside(
    view: FileView, program: bytes, image: Image, missing: AbstractSet[bytes]
) -> dict[bytes, bytes]:
    """Return the files for missing sonames beside the program: soname -> path, for the program's machine."""
    found: dict[bytes, bytes] = {}
    home = posixpath.dirname(view.realpath(program))
    for directory in NEARBY:
        place = posixpath.normpath(posixpath.join(home, directory))
        for soname, name in _names_in(view, place, missing - found.keys()):
            path = posixpath.join(place, name)
            if _fits(view, path, image):
                found.setdefault(soname, path)
    return found


def _names_in(view: FileView, directory: bytes, wanted: AbstractSet[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield (soname, file name) for files in a directory.

    The file name is the soname itself, or else the soname with a longer version.
    """
    try:
        names = view.listdir(directory)
    except OSError:
        return
    if len(names) > MAX_NEARBY:
        return
    present = set(names)
    for soname in wanted:
        if soname in present:
            yield soname, soname
        else:
            yield from ((soname, name) for name in names if name.startswith(soname + b"."))


def _fits(view: FileView, path: bytes, image: Image) -> bool:
    try:
        header = read(view.read(path)).header
    except (OSError, BadInput):
        return False
    return (header.machine, header.bits) == (image.header.machine, image.header.bits)
