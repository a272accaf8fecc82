"""Mentions of one object by another: in which file, at which offset.

A mention is the other object's hash, as the reference scanner finds it (`trees.references`): in a file's
content, in the target of a link, or in a name.
"""

from __future__ import annotations

from itertools import pairwise

from denizen.formats.file_tree import File, Symlink
from denizen.store.errors import doing
from denizen.store.trees.tree_reader import entries
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from denizen.bytesio import Buffer
    from denizen.formats.storepath import StorePath
    from denizen.store.local import Store

# Bytes shown before and after a hash.
_BEFORE, _AFTER = 24, 72
_CUT = "…".encode()


class HashMention(Value):
    """One mention of an object.

    Attributes:
        file: the path inside the object that mentions it; b"" for the object itself.
        kind: "content", "link" or "name".
        offset: where the hash begins, in bytes.
        text: what stands around it.
    """

    file: bytes
    kind: str
    offset: int
    text: bytes


class Dependency(Value):
    """A step of a chain: an object, the next one, and where the first mentions the second."""

    path: StorePath
    mentions: tuple[HashMention, ...]


def mentions_of(tree: bytes, digest: bytes) -> Iterator[HashMention]:
    """Yield every mention of the hash `digest` in the tree at `tree`. Raises DiskFailed."""
    with doing("read", tree):
        for entry in entries(tree):
            name = entry.path.rpartition(b"/")[2]
            if digest in name:
                yield HashMention(entry.path, "name", name.index(digest), name)
            if isinstance(entry, Symlink) and digest in entry.target:
                yield HashMention(entry.path, "link", entry.target.index(digest), entry.target)
            elif isinstance(entry, File):
                for offset, text in _in_content(entry.content, digest):
                    yield HashMention(entry.path, "content", offset, text)


def _in_content(pieces: Iterable[Buffer], digest: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield offset and surroundings of each occurrence; what is shown ends with the piece it is in."""
    held, begins = b"", 0
    keep = len(digest) - 1 + _BEFORE
    searched = 0
    for piece in pieces:
        data = held + bytes(piece)
        at = data.find(digest, searched)
        while at >= 0:
            yield begins + at, _around(data, at, len(digest))
            at = data.find(digest, at + 1)
        kept = min(keep, len(data))
        searched = max(0, kept - len(digest) + 1)
        begins += len(data) - kept
        held = data[len(data) - kept :]


def _around(data: bytes, at: int, length: int) -> bytes:
    """Return the printable text that a hash stands in, with an ellipsis where more of it is left out."""
    start, end = at, at + length
    while start > max(0, at - _BEFORE) and _is_shown(data, start - 1):
        start -= 1
    while end < min(len(data), at + length + _AFTER) and _is_shown(data, end):
        end += 1
    return (
        (_CUT if _is_shown(data, start - 1) else b"")
        + data[start:end]
        + (_CUT if _is_shown(data, end) else b"")
    )


def _is_shown(data: bytes, at: int) -> bool:
    return 0 <= at < len(data) and 0x20 < data[at] < 0x7F


def dependency_chain(store: Store, dependent: StorePath, dependency: StorePath) -> tuple[Dependency, ...]:
    """Return a shortest chain of references between two objects, each with its mentions of the next.

    Empty if there is none. Raises NotValid, DiskFailed.
    """
    store.info(dependency)
    chain = _shortest(store, dependent, dependency)
    steps = []
    for path, following in pairwise(chain):
        found = mentions_of(store.place_of(path), following.digest.encode("ascii"))
        steps.append(Dependency(path, tuple(found)))
    return (*steps, Dependency(chain[-1], ())) if chain else ()


def _shortest(store: Store, start: StorePath, goal: StorePath) -> list[StorePath]:
    came_from: dict[StorePath, StorePath | None] = {start: None}
    layer = [start]
    while layer and goal not in came_from:
        following: list[StorePath] = []
        for here in layer:
            for there in store.info(here).references:
                if there not in came_from:
                    came_from[there] = here
                    following.append(there)
        layer = following
    chain: list[StorePath] = []
    step = goal if goal in came_from else None
    while step is not None:
        chain.append(step)
        step = came_from[step]
    return chain[::-1]
