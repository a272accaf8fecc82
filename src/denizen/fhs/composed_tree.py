"""The tree of an environment while it is composed: what is made in it, on disk and in the model."""

from __future__ import annotations

import os

from denizen.build.derivation import BadDerivation
from denizen.errors import display
from denizen.fhs.diversions import TOPS
from denizen.fhs.tree_model import Model, NodeKind
from denizen.store.trees.canonical import STORE_TIMES

_LIMIT = 64 << 20


class ComposedTree:
    """A tree on disk, and the model of what was made in it; paths in it have no slash before them.

    Attributes:
        path: where it lies on disk.
    """

    def __init__(self, name: str, path: bytes, *, relative: bool = False) -> None:
        """Take the name of the derivation, for errors, and the path of an empty directory.

        With `relative` links to what a tree has (/usr, /etc, /opt) are relative.
        """
        self._name = name
        self._relative = relative
        self.path = path
        self.model = Model()

    def at(self, path: bytes) -> bytes:
        """Return the path on disk to make `path` at, with links on the way followed inside the tree.

        Followed by the kernel, some links would lead to the host. Raises BadDerivation for a path outside the
        tree.
        """
        parent, _, name = path.rpartition(b"/")
        inside = self.model.followed(parent) if parent else b""
        if inside is None:
            raise BadDerivation(self._name, f"{display(path)} would be outside the tree")
        return b"/".join([part for part in (self.path, inside, name) if part])

    def real(self, path: bytes) -> bytes:
        """Return the path on disk of the file or directory that `path` leads to in the tree."""
        return self.at(self.model.followed(path) or path)

    def inside(self, path: bytes) -> bytes:
        """Return the path in the tree to which `path` leads."""
        return self.real(path).removeprefix(self.path + b"/")

    def content(self, path: bytes) -> bytes:
        """Return the content of the file to which `path` leads in the tree. Raises OSError."""
        with open(self.real(path), "rb") as stream:
            return stream.read(_LIMIT)

    def link(self, path: bytes, target: bytes) -> None:
        """Make a link, and the directories above it."""
        self.make_directory(os.path.dirname(path))
        self.add_link(path, target, 0)

    def add_link(self, path: bytes, target: bytes, owner: int) -> None:
        """Make a link of a package, whose directory is there. Raises OSError."""
        led = Model.leads_to(path, target) if self._relative and target.startswith(b"/") else None
        if led is not None and led.split(b"/")[0] in TOPS:
            target = os.path.relpath(b"/" + led, b"/" + os.path.dirname(path))
        os.symlink(target, self.at(path))
        self.model.add(path, NodeKind.LINK, owner, target)

    def write_new(self, path: bytes, content: bytes) -> None:
        """Write a file where nothing is, and make the directories above it."""
        if path not in self.model:
            self.make_directory(os.path.dirname(path))
            self.write(path, content)

    def write(self, path: bytes, content: bytes) -> None:
        """Write a file that is not there. Raises OSError."""
        with open(self.at(path), "xb") as stream:
            stream.write(content)
        self.model.add(path, NodeKind.FILE, 0)

    def make_directory(self, path: bytes) -> None:
        """Make a directory, and those above it, unless it is there."""
        for end in [n for n, code in enumerate(path) if code == ord("/")] + [len(path)]:
            part = path[:end]
            if self.model.followed(part) is None or part not in self.model:
                os.mkdir(self.at(part))
                self.model.add(part, NodeKind.DIRECTORY, 0)

    def settle_times(self) -> None:
        """Set the directories' times to those that store objects have.

        A font cache is valid only for directories of the time that it notes.
        """
        for path in self.model.directories():
            os.utime(self.at(path), ns=STORE_TIMES)
