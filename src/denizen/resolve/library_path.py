"""Libraries in the directories of the user's LD_LIBRARY_PATH (pure over a FileView).

The user names them for this start, so they come before libraries beside the program and before packages. The
host's system directories are ignored, and so are parts of a glibc: they belong to another set of libraries
than the program's and cannot be mixed with it.
"""

from __future__ import annotations

import posixpath

from denizen.errors import BadInput
from denizen.linker.tokens import Tokens, expand
from denizen.resolve.bundle import is_part_of_libc
from denizen.resolve.sysroot_view import is_outside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

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
        try:
            image = self._view.image(path)
            linked = image.dynamic is not None
        except (OSError, BadInput):
            return False
        same = (image.header.bits, image.header.machine) == (header.bits, header.machine)
        return same and linked and not is_part_of_libc(image)
