"""The libraries of a program with an environment's tree around it, named by their paths in that tree (pure).

Some libraries look for files beside themselves, which are other packages' or were made in the tree.
"""

from __future__ import annotations

import posixpath

from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.fileview import FileView
    from denizen.launch.decisions.decision import Decision, DecisionLibrary


def at_home(view: FileView, base: Decision, tree: bytes, *, entered: bool) -> tuple[DecisionLibrary, ...]:
    """Return a decision's libraries, those of the store that the tree has too by their paths there.

    With `entered` the tree's directories are those at the root.
    """
    return tuple([_at_home(view, one, tree, b"" if entered else tree) for one in base.libraries])


def _at_home(view: FileView, library: DecisionLibrary, tree: bytes, root: bytes) -> DecisionLibrary:
    below = posixpath.dirname(tree) + b"/"
    if not library.path.startswith(below):
        return library
    inside = b"/" + library.path.removeprefix(below).partition(b"/")[2]
    is_there = _is_same(view, library.path, tree + inside)
    return replace(library, path=root + inside) if is_there else library


def _is_same(view: FileView, one: bytes, other: bytes) -> bool:
    try:
        first, second = view.stat(one), view.stat(other)
    except OSError:
        return False
    return (first.device, first.inode) == (second.device, second.inode)
