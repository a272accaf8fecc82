"""What a path stands for: a program, or all dynamic objects of a directory (pure over a FileView).

A Python tree, node_modules or a plugin directory is resolved as the union of its objects: any of them may
be loaded by whatever runs there.

Limits: MAX_ENTRIES names; deeper than MAX_DEPTH is not looked at. Links are not followed.
"""

from __future__ import annotations

import posixpath

from denizen import elf
from denizen.errors import BadInput, display
from denizen.fileview import Kind
from denizen.resolve.subject import is_linked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.fileview import FileView

MAX_ENTRIES = 200_000
MAX_DEPTH = 32


class NoObjects(BadInput):
    """A directory holds nothing that a dynamic linker would load."""

    directory: bytes

    @property
    def what(self) -> str:
        return f"there is no dynamically linked program or library below {display(self.directory)}"


def roots_of(view: FileView, path: bytes) -> tuple[bytes, ...]:
    """The path of a program itself; of a directory, what is dynamic below it. Raises OSError, NoObjects."""
    if view.stat(path).kind is not Kind.DIRECTORY:
        return (path,)
    found = tuple(file for file in _files(view, path) if _is_dynamic(view, file))
    if not found:
        raise NoObjects(path)
    return found


def _files(view: FileView, directory: bytes) -> Iterator[bytes]:
    pending, left = [(directory, 0)], MAX_ENTRIES
    for here, depth in pending:
        for name in view.listdir(here)[:left]:
            left -= 1
            path = posixpath.join(here, name)
            kind = view.lstat(path).kind
            if kind is Kind.FILE:
                yield path
            elif kind is Kind.DIRECTORY and depth < MAX_DEPTH:
                pending.append((path, depth + 1))


def _is_dynamic(view: FileView, path: bytes) -> bool:
    try:
        image = elf.read(view.read(path))
        return image.dynamic is not None and is_linked(image)
    except (OSError, ValueError, BadInput):
        return False
