"""Changes of a file as data: bytes overwritten in place, and bytes put in at one place (pure).

Nothing before `insert_at` moves; what lies behind it is kept and comes after the bytes put in.
"""

from __future__ import annotations

from _operator import attrgetter  # not operator, whose Python module takes 0.6 ms to import

from denizen.relocate.errors import CannotPatch
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from denizen.bytesio import Buffer

_BLOCK = 64 * 1024
_OFFSET = attrgetter("offset")


class FileEdit(Value):
    """Bytes that replace as many bytes at an offset; `part` names what they are."""

    offset: int
    content: bytes
    part: str


class FilePlan(Value):
    """The changes to one file.

    Attributes:
        edits: overwritten bytes, sorted and apart from each other, all before `insert_at`.
        insert_at: offset of the bytes put in; the file's size where nothing is put in.
        cut: number of bytes at `insert_at` that they replace: an earlier patch's own segment.
        padding: zero bytes ahead of them.
        inserted: the bytes.
        tail: bytes repeated at the very end of the file.
        steps: the changes in words.
    """

    edits: tuple[FileEdit, ...] = ()
    insert_at: int = 0
    cut: int = 0
    padding: int = 0
    inserted: bytes = b""
    tail: bytes = b""
    steps: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing changes."""
        return not self.edits and not self.inserted

    @property
    def grows(self) -> bool:
        """Tell whether bytes are put in, so that what lies behind them is at another offset."""
        return bool(self.inserted)


def merged(edits: Iterable[FileEdit], buffer: Buffer, end: int) -> tuple[FileEdit, ...]:
    """Return the edits that change something, sorted by offset.

    Raises:
        CannotPatch: one reaches beyond `end`, or two overlap, as in a file whose tables do.
    """
    kept: list[FileEdit] = []
    reached = 0
    for edit in sorted(edits, key=_OFFSET):
        stop = edit.offset + len(edit.content)
        if stop > end:
            raise CannotPatch(f"{edit.part} reaches beyond the end of the file")
        if bytes(buffer[edit.offset : stop]) == edit.content:
            continue
        if edit.offset < reached:
            raise CannotPatch(f"{edit.part} overlaps with another part")
        reached = stop
        kept.append(edit)
    return tuple(kept)


def apply(plan: FilePlan, buffer: Buffer) -> bytes:
    """Return the changed content of the file."""
    return b"".join(pieces(plan, buffer))


def pieces(plan: FilePlan, buffer: Buffer) -> list[bytes | memoryview]:
    """Return the changed content in order; unchanged parts are views of `buffer`."""
    old, place = memoryview(buffer), 0
    parts: list[bytes | memoryview] = []
    for edit in plan.edits:
        if edit.offset > place:
            parts.append(old[place : edit.offset])
        parts.append(edit.content)
        place = edit.offset + len(edit.content)
    if not plan.inserted:
        return [*parts, old[place:]]
    parts.append(old[place : plan.insert_at])
    zeros = bytes(min(_BLOCK, plan.padding))
    parts += [zeros[: plan.padding - at] for at in range(0, plan.padding, _BLOCK)]
    parts.append(plan.inserted)
    if plan.insert_at + plan.cut < len(old):
        parts.append(old[plan.insert_at + plan.cut :])
    return [*parts, plan.tail] if plan.tail else parts
