"""The check that a program starts from an exported root, by the model of its dynamic linker.

The root is in no directory yet, and nothing of it is executed: what ld.so (or musl's) would find is read from
the root's entries, before anything is written.
"""

from __future__ import annotations

from denizen.errors import BadInput, display
from denizen.fileview import MemoryView, ViewLink
from denizen.formats.file_tree import Directory, Symlink
from denizen.linker import Environment, resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.exports.rootfs_tree import RootTree
    from denizen.formats.file_tree import Entry


class StartsNotFromRoot(BadInput):
    """The error that a program would not start from its exported root.

    Attributes:
        program: its path in the root.
        lacking: what its dynamic linker would not find.
    """

    program: bytes
    lacking: tuple[str, ...]
    WHAT = "{program} would not start from what is exported"

    @property
    def why(self) -> str:
        return f"its dynamic linker would not find {', '.join(self.lacking)} there"

    @property
    def remedy(self) -> str:
        return "denizen bundle makes one file, which finds them; or --tree, with the directory that has them"


def check_start(root: RootTree, program: bytes) -> None:
    """Raise StartsNotFromRoot if a library, or the dynamic linker, would not be found in the root."""
    view = MemoryView(dict(map(_viewed, root.entries())))
    closure = resolve(view, b"/" + program, Environment())
    lacking = [display(one.soname) for one in closure.missing]
    if not closure.interpreter_found:
        lacking.insert(0, "itself")
    if lacking:
        raise StartsNotFromRoot(b"/" + program, tuple(lacking))


def _viewed(entry: Entry) -> tuple[bytes, bytes | ViewLink]:
    """Return an entry for a view; of files that no dynamic linker reads the content does not matter."""
    path = b"/" + entry.path
    if isinstance(entry, Symlink):
        return path, ViewLink(entry.target)
    if isinstance(entry, Directory):
        return path + b"/", b""
    is_read = entry.path.startswith((b"opt/", b"etc/ld")) or b".so" in entry.path
    return path, b"".join(map(bytes, entry.content)) if is_read else b""
