"""Comparison of a second build with the first: which files differ, and in which bytes."""

from __future__ import annotations

import os

from denizen.build.runner.build_directory import unused_directory
from denizen.build.runner.errors import NotReproducible
from denizen.errors import display
from denizen.formats.file_tree import Directory, File
from denizen.store.errors import doing
from denizen.store.trees.tree_reader import entries

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from denizen.build.build_task import Build
    from denizen.bytesio import Buffer
    from denizen.formats.file_tree import Entry
    from denizen.store.staged_tree import Adoption

_SHOWN = 20
# Bytes shown from the first difference on.
_CONTEXT = 16


def refuse_differences(task: Build, again: Mapping[bytes, Adoption], keep: bytes | None) -> None:
    """Compare the outputs of a second build with the valid ones.

    Raises:
        NotReproducible: they differ; the second are moved into the directory `keep`, if there is one.
    """
    for name, path in task.sealed.outputs.items():
        made = again[name]
        if made.digest.nar_hash == task.store.info(path).nar_hash:
            continue
        with doing("compare", made.tree):
            found = list(differences(task.store.place_of(path), made.tree))
            kept = _kept(made.tree, keep, path.base.encode("ascii")) if keep is not None else b""
        more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
        raise NotReproducible(task.name, path, (*found[:_SHOWN], *more), kept)


def _kept(tree: bytes, directory: bytes, base: bytes) -> bytes:
    place = unused_directory(directory, b"denizen-check-" + base) + b"/output"
    os.rename(tree, place)
    return place


def differences(first: bytes, second: bytes) -> Iterator[str]:
    """Yield a sentence for each path in which two trees differ. Raises OSError."""
    others = entries(second)
    other = next(others, None)
    for entry in entries(first):
        while other is not None and _before(other, entry):
            yield f"{_shown(other)} is only in the second"
            other = next(others, None)
        if other is None or other.path != entry.path:
            yield f"{_shown(entry)} is only in the first"
            continue
        yield from _compared(entry, other)
        other = next(others, None)
    while other is not None:
        yield f"{_shown(other)} is only in the second"
        other = next(others, None)


def _before(one: Entry, other: Entry) -> bool:
    # The order of a NAR is that of components, not of whole paths.
    return one.path.split(b"/") < other.path.split(b"/")


def _shown(entry: Entry) -> str:
    return display(entry.path) or "the output itself"


def _compared(one: Entry, other: Entry) -> Iterator[str]:
    name = _shown(one)
    if type(one) is not type(other):
        yield f"{name} is {_kind(one)} in the first and {_kind(other)} in the second"
    elif isinstance(one, File) and isinstance(other, File):
        if one.executable != other.executable:
            yield f"{name} is executable in the {'first' if one.executable else 'second'} alone"
        yield from _compared_content(name, one, other)
    elif not isinstance(one, Directory) and one != other:
        yield f"{name} leads to '{display(_target(one))}' and to '{display(_target(other))}'"


def _target(entry: Entry) -> bytes:
    return getattr(entry, "target", b"")


def _kind(entry: Entry) -> str:
    return {"File": "a file", "Directory": "a directory"}.get(type(entry).__name__, "a symbolic link")


def _compared_content(name: str, one: File, other: File) -> Iterator[str]:
    first, count = -1, 0
    before, after = b"", b""
    for offset, left, right in _aligned(one.content, other.content):
        if left == right:
            continue
        differing = [i for i in range(min(len(left), len(right))) if left[i] != right[i]]
        count += len(differing) + abs(len(left) - len(right))
        if first < 0:
            start = differing[0] if differing else min(len(left), len(right))
            first = offset + start
            before, after = left[start : start + _CONTEXT], right[start : start + _CONTEXT]
    if first >= 0:
        sizes = "" if one.size == other.size else f", {one.size} bytes and {other.size}"
        yield f"{name}: {count} bytes differ from offset {first} on{sizes}: {before!r} and {after!r}"


def _aligned(one: object, other: object) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield (offset, bytes, bytes) blocks of two contents, of equal length until one ends."""
    left, right = _Blocks(one), _Blocks(other)
    offset = 0
    while True:
        here, there = left.take(), right.take()
        if not here and not there:
            return
        yield offset, here, there
        offset += max(len(here), len(there))


class _Blocks:
    """A content in blocks of 64 KiB, the last shorter."""

    def __init__(self, content: object) -> None:
        self._pieces: Iterator[Buffer] = iter(content)  # type: ignore[call-overload]  # a File's content
        self._rest = b""

    def take(self) -> bytes:
        """Return the next block."""
        while len(self._rest) < 65536:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._rest += bytes(piece)
        block, self._rest = self._rest[:65536], self._rest[65536:]
        return block
