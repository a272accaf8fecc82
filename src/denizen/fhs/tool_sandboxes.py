"""Sandboxes of a tree's tools: a root of their own with the tree, or, where the tree lies, a confinement."""

from __future__ import annotations

from denizen import elf
from denizen.errors import BadInput
from denizen.fhs.mounts import sandbox
from denizen.fhs.tool_confinement import confinement
from denizen.host import machine_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from denizen.fhs.builtin_fhs import Composition
    from denizen.fhs.composed_tree import ComposedTree
else:
    Protocol = object


class ToolSandbox(Protocol):
    """The sandbox of a tool.

    Attributes:
        root: the path at which it sees the tree, b"" for /.
    """

    root: bytes

    def operations(self, writes: Sequence[bytes]) -> tuple[bytes, ...]:
        """Return the operations of `denizen-enter` that make it; `writes` are places in the tree."""

    def words(self, tool: bytes, arguments: Sequence[bytes]) -> list[bytes]:
        """Return the command of a tool at a path in the tree; [] where it cannot be run."""


class EnteredTree:
    """A root of their own, in namespaces, that has the tree and nothing of the host."""

    root = b""

    def __init__(self, tree: ComposedTree, stage: bytes) -> None:
        """Take an empty directory for the root."""
        self._tree = tree
        self._stage = stage

    def operations(self, writes: Sequence[bytes]) -> tuple[bytes, ...]:
        return sandbox(self._tree.path, self._stage, writes)

    def words(self, tool: bytes, arguments: Sequence[bytes]) -> list[bytes]:
        return [b"/" + tool, *arguments]


class ConfinedTools:
    """A confinement by the kernel's means that need no namespace: the tree is seen where it lies.

    The tree's own dynamic linker starts the tool, with the tree's libraries alone. Scripts are not run: their
    interpreters look for their files at fixed paths.
    """

    def __init__(self, tree: ComposedTree, plan: Composition, packages: Sequence[bytes]) -> None:
        """Take the paths of the unpacked packages, to whose programs the tree has links."""
        self._tree = tree
        self._triplet = plan.triplets[0]
        self._readable = (tree.path, *packages)
        self.root = tree.path

    def operations(self, writes: Sequence[bytes]) -> tuple[bytes, ...]:
        writable = [b"%b/%b" % (self._tree.path, path) for path in writes]
        return confinement(self._readable, writable, machine_name())

    def words(self, tool: bytes, arguments: Sequence[bytes]) -> list[bytes]:
        place = self._tree.at(tool)  # what it does may depend on the name of a link
        try:
            with open(place, "rb", buffering=0) as stream:
                interpreter = elf.read(stream.read()).interpreter
        except BadInput:
            return []
        if interpreter is None:
            return [place, *arguments]
        linker = self._tree.real(
            b"usr" + interpreter if not interpreter.startswith(b"/usr/") else interpreter[1:]
        )
        usr = self._tree.path + b"/usr"
        path = b"%b/lib/%b:%b/lib" % (usr, self._triplet, usr)
        return [linker, b"--inhibit-cache", b"--library-path", path, place, *arguments]
