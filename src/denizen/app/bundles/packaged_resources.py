"""The packages' files for fixed paths that a program needs where a host has nothing of its own."""

from __future__ import annotations

from denizen.app.bundles.left_out import converts_text
from denizen.launch.resources.fixed_paths import fixed_path_resources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.bundles.program_closure import ProgramClosure
    from denizen.fileview import FileView, Stat
    from denizen.launch.resources.fixed_paths import FixedPathResource


def packaged_resources(closure: ProgramClosure) -> tuple[FixedPathResource, ...]:
    """Return the files and directories of a program's packages for fixed paths, all of the store."""
    trees = tuple(closure.packages.values())
    found = fixed_path_resources(_EmptyHost(closure.program.view, trees), trees)
    if converts_text(closure):
        return found
    return tuple(one for one in found if b"/gconv" not in one.target)


class _EmptyHost:
    """A view in which a host has nothing but the trees of packages."""

    def __init__(self, view: FileView, trees: Sequence[bytes]) -> None:
        self._view = view
        self.trees = tuple(trees)

    def _look(self, path: bytes) -> bytes:
        if not path.startswith(self.trees):
            raise FileNotFoundError(path)
        return path

    def lstat(self, path: bytes) -> Stat:
        return self._view.lstat(self._look(path))

    def readlink(self, path: bytes) -> bytes:
        return self._view.readlink(self._look(path))

    def stat(self, path: bytes) -> Stat:
        return self._view.stat(self._look(path))

    def listdir(self, path: bytes) -> tuple[bytes, ...]:
        return self._view.listdir(self._look(path))

    def realpath(self, path: bytes) -> bytes:
        return self._view.realpath(self._look(path))

    def read(self, path: bytes) -> bytes:
        return bytes(self._view.read(self._look(path)))
