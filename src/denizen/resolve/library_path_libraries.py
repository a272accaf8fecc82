"""Libraries in the directories of the user's LD_LIBRARY_PATH (pure over a FileView).

The user names them for this start, so they come before libraries beside the program and before packages. The
host's system directories are ignored, and so are parts of a glibc: they belong to another set of libraries
than the program's and cannot be mixed with it.
"""

from __future__ import annotations

import contextlib
import posixpath

from denizen.errors import BadInput
from denizen.linker.c_library import is_part_of_libc
from denizen.linker.tokens import Tokens, expand
from denizen.resolve.sysroot_view import is_outside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from denizen.elf import Header
    from denizen.resolve.cache.cached_view import CachedView


class LibraryPathDirectories:
    """The directories in order: absolute paths, with `$ORIGIN` for the program's directory.

    Attributes:
        found: the paths of the libraries that were found in them.
    """

    def __init__(self, view: CachedView, program: bytes, elements: Sequence[bytes]) -> None:
        self._view = view
        origin = Tokens(posixpath.dirname(view.realpath(program))) if elements else Tokens(None)
        expanded = [expand(element, origin) for element in elements]
        self.found: set[bytes] = set()
        self._directories = [one for one in expanded if one is not None and not is_outside(one + b"/lib.so")]

    def find(self, soname: bytes, header: Header) -> bytes | None:
        """Return the library of that name for the machine of `header` that ld.so would take.

        Return None if there is none.
        """
        if b"/" in soname:
            return None
        paths = (posixpath.join(directory, soname) for directory in self._directories)
        path = next((path for path in paths if self._fits(path, header)), None)
        self.found |= {path} if path is not None else set()
        return path

    def _fits(self, path: bytes, header: Header) -> bool:
        return _is_library_for(self._view, path, header)


def by_run_path(view: CachedView, holders: Iterable[bytes], soname: bytes, header: Header) -> bytes | None:
    """Return the library to which the run path of another one leads; None if there is none.

    `holders` are the paths of libraries that the program has from beside it or from LD_LIBRARY_PATH. Where a
    packer put libraries into a directory of its own (auditwheel: NAME.libs), the run paths alone lead there.
    """
    for holder in holders:
        dynamic = view.image(holder).dynamic
        if dynamic is None or b"/" in soname:
            continue
        # ld.so takes the path by which it opened the library, and the decision has the resolved one.
        origin = Tokens(posixpath.dirname(view.realpath(holder)))
        whose = dynamic.runpath if soname in dynamic.needed else None
        elements = (whose if dynamic.runpath is not None else dynamic.rpath) or b""
        for element in elements.split(b":"):
            directory = expand(element, origin)
            path = posixpath.join(directory or b"", soname)
            if path.startswith(b"/") and not is_outside(path) and _is_library_for(view, path, header):
                return posixpath.normpath(path)
    return None


def run_path_libraries(view: CachedView, program: bytes) -> dict[bytes, bytes]:
    """Return the libraries to which the program's run path leads: file name -> path.

    The loader gives it to every object (loader/README.md), before what packages have.
    """
    dynamic = view.image(program).dynamic
    paths = (dynamic.rpath, dynamic.runpath) if dynamic is not None else ()
    origin = Tokens(posixpath.dirname(view.realpath(program)))
    found: dict[bytes, bytes] = {}
    for element in b":".join(path for path in paths if path).split(b":"):
        directory = expand(element, origin) or b""
        if not directory.startswith(b"/") or is_outside(directory + b"/lib.so"):
            continue
        with contextlib.suppress(OSError):
            for name in view.listdir(directory):
                if b".so" in name:
                    found.setdefault(name, posixpath.join(directory, name))
    return found


def _is_library_for(view: CachedView, path: bytes, header: Header) -> bool:
    try:
        image = view.image(path)
        linked = image.dynamic is not None
    except (OSError, BadInput):
        return False
    same = (image.header.bits, image.header.machine) == (header.bits, header.machine)
    return same and linked and not is_part_of_libc(image)
