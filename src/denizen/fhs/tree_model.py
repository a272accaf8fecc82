"""A model of a tree that is being composed: kinds, owners, and targets of links (pure)."""

from __future__ import annotations

from enum import Enum
from fnmatch import fnmatchcase

from denizen.fileview import MAX_LINKS, USR_MERGED
from denizen.formats.archive_tree import lexical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class NodeKind(Enum):
    """The kind of a path in a tree."""

    DIRECTORY = "directory"
    FILE = "file"
    LINK = "link"


class Model:
    """The known content of a tree; paths have no slash before them."""

    def __init__(self) -> None:
        self._kinds: dict[bytes, NodeKind] = {}
        self._owners: dict[bytes, int] = {}
        self._targets: dict[bytes, bytes] = {}

    def __contains__(self, path: bytes) -> bool:
        """Tell whether a path exists, links followed."""
        return path in self._kinds or self.followed(path) in self._kinds

    def kind(self, path: bytes) -> NodeKind | None:
        """Return the kind of a path, links not followed; None if it does not exist."""
        return self._kinds.get(path)

    def owner(self, path: bytes) -> int:
        """Return the number of the package that a path belongs to."""
        return self._owners[path]

    def add(self, path: bytes, kind: NodeKind, owner: int, target: bytes = b"") -> None:
        """Add a path that was made."""
        self._kinds[path] = kind
        self._owners[path] = owner
        if kind is NodeKind.LINK:
            self._targets[path] = target

    def remove(self, path: bytes) -> None:
        """Remove a path that was deleted."""
        del self._kinds[path], self._owners[path]
        self._targets.pop(path, None)

    def directories(self) -> Iterator[bytes]:
        """Yield the paths of all directories."""
        return (path for path, kind in self._kinds.items() if kind is NodeKind.DIRECTORY)

    def below(self, path: bytes) -> Iterator[bytes]:
        """Yield the paths of the files below a directory."""
        prefix = path + b"/"
        return (p for p, kind in self._kinds.items() if kind is NodeKind.FILE and p.startswith(prefix))

    def matching(self, pattern: bytes) -> list[bytes]:
        """Return the paths that match a pattern, in which `*` stands for any one name, sorted."""
        if b"*" not in pattern:
            return [pattern] if pattern in self else []
        depth = pattern.count(b"/")
        prefix = pattern.partition(b"*")[0]
        return sorted(
            path
            for path in self._kinds
            if path.startswith(prefix) and path.count(b"/") == depth and fnmatchcase(path, pattern)
        )

    def followed(self, path: bytes) -> bytes | None:
        """Return the path with every link on the way followed.

        Return None if it leads out of the tree or in circles.
        """
        parts = path.split(b"/")
        done: list[bytes] = []
        links = 0
        while parts:
            part = parts.pop(0)
            here = b"/".join([*done, part])
            target = self._targets.get(here)
            if target is None:
                done.append(part)
                continue
            links += 1
            led = self.leads_to(here, target)
            if links > MAX_LINKS or led is None:
                return None
            parts, done = [*led.split(b"/"), *parts], []
        return b"/".join(done)

    @staticmethod
    def leads_to(path: bytes, target: bytes) -> bytes | None:
        """Return a link's target from the top, with /bin and its like in /usr.

        Return None if it is above the top.
        """
        led = lexical(path, target)
        return b"usr/" + led if led is not None and led.partition(b"/")[0] in USR_MERGED else led
