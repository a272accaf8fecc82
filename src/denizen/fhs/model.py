"""What is in a tree that is being composed: kinds, owners, and where links lead (pure)."""

from __future__ import annotations

from enum import Enum
from fnmatch import fnmatchcase

from denizen.formats.archive_tree import MERGED, lexical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_LINKS = 40


class NodeKind(Enum):
    """What something in a tree is."""

    DIRECTORY = "directory"
    FILE = "file"
    LINK = "link"


class Model:
    """The tree as it is known; paths have no slash before them."""

    def __init__(self) -> None:
        self._kinds: dict[bytes, NodeKind] = {}
        self._owners: dict[bytes, int] = {}
        self._targets: dict[bytes, bytes] = {}

    def __contains__(self, path: bytes) -> bool:
        """Whether something is there, links followed."""
        return path in self._kinds or self.followed(path) in self._kinds

    def kind(self, path: bytes) -> NodeKind | None:
        """What is there, if anything; a link is a link."""
        return self._kinds.get(path)

    def owner(self, path: bytes) -> int:
        """Whose it is."""
        return self._owners[path]

    def add(self, path: bytes, kind: NodeKind, owner: int, target: bytes = b"") -> None:
        """Something was made."""
        self._kinds[path] = kind
        self._owners[path] = owner
        if kind is NodeKind.LINK:
            self._targets[path] = target

    def remove(self, path: bytes) -> None:
        """It was removed."""
        del self._kinds[path], self._owners[path]
        self._targets.pop(path, None)

    def directories(self) -> Iterator[bytes]:
        """All of them."""
        return (path for path, kind in self._kinds.items() if kind is NodeKind.DIRECTORY)

    def below(self, path: bytes) -> Iterator[bytes]:
        """The files below a directory."""
        prefix = path + b"/"
        return (p for p, kind in self._kinds.items() if kind is NodeKind.FILE and p.startswith(prefix))

    def matching(self, pattern: bytes) -> list[bytes]:
        """The paths a pattern means, `*` standing for any one name; sorted."""
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
        """Where a path leads once every link on the way is followed; None: out of the tree, or in circles."""
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
            if links > _MAX_LINKS or led is None:
                return None
            parts, done = [*led.split(b"/"), *parts], []
        return b"/".join(done)

    @staticmethod
    def leads_to(path: bytes, target: bytes) -> bytes | None:
        """Where a link's words lead, from the top; None where that is above it. /bin is in /usr."""
        led = lexical(path, target)
        return b"usr/" + led if led is not None and led.partition(b"/")[0] in MERGED else led
