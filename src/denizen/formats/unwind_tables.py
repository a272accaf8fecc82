"""Unwind tables of ELF files, put shorter before a bundle's image is compressed (pure).

A function has a record in .eh_frame, which names its start by a distance from itself, and an entry in the
sorted table of .eh_frame_hdr, which follows from the records. With distances from the end of the function
before, and without the table, blocks get 2.5 % smaller. Specification: docs/formats/bundle.md; the reverse is
loader/unpack/unwind.c.

A table is known by its first bytes, wherever it is. Nothing that the reverse finds its way by changes: the
table's head, the records' lengths, and which records are of functions.
"""

from __future__ import annotations

from struct import Struct

from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# .eh_frame_hdr as all linkers write it: version 1, and how its three parts are encoded (LSB, "Exception
# Frames"): a distance from itself, a number, distances from the table's beginning.
_MARK = b"\x01\x1b\x03\x3b"
_WORD, _HEAD = Struct("<I"), Struct("<4siI")
# A function's record: length, distance to the record that it shares, start, size.
_RECORD, _SHORTEST = Struct("<4I"), 12
_PAIR = 8
_WORDS = 1 << 32


class UnwindTable(Value):
    """A table and its records.

    Attributes:
        at, count: its offset in the content, and the number of its entries.
        frames, end: where the records begin and end.
        functions: the offsets of functions' records.
    """

    at: int
    count: int
    frames: int
    end: int
    functions: Sequence[int]

    @property
    def pairs(self) -> slice:
        """The place of the table's entries."""
        start = self.at + _HEAD.size
        return slice(start, start + _PAIR * self.count)


def shortened(content: bytes) -> bytes | None:
    """Return the content with its unwind tables shortened; None where the reverse would not give it back.

    That is where bytes look like a table and are none.
    """
    found = bytearray(content)
    for table in _tables(content):
        if content[table.pairs] == _sorted_pairs(content, table):
            found[table.pairs] = bytes(_PAIR * table.count)
        before = 0
        for at in table.functions:
            length, shared, start, size = _RECORD.unpack_from(content, at)
            place = start + at + 8 - table.frames
            shared = at + 4 - table.frames - shared + 1
            _RECORD.pack_into(found, at, length, shared % _WORDS, (place - before) % _WORDS, size)
            before = place + size
    return bytes(found) if restored(found) == content else None


def restored(content: bytes | bytearray) -> bytes:
    """Return the content that `shortened` was given."""
    found = bytearray(content)
    for table in _tables(content):
        before = 0
        for at in table.functions:
            length, shared, start, size = _RECORD.unpack_from(content, at)
            place = start + before
            shared = at + 4 - table.frames - shared + 1
            _RECORD.pack_into(
                found, at, length, shared % _WORDS, (place - (at + 8 - table.frames)) % _WORDS, size
            )
            before = place + size
        if len(table.functions) == table.count and not any(content[table.pairs]):
            found[table.pairs] = _sorted_pairs(found, table)
    return bytes(found)


def _sorted_pairs(content: bytes | bytearray, table: UnwindTable) -> bytes:
    """Return the entries that the records make: start of the function, and its record."""
    pairs = []
    for at in table.functions:
        start = (_WORD.unpack_from(content, at + 8)[0] + at + 8 - table.at) % _WORDS
        # Signed: code may be before the table.
        pairs.append((start - (start >> 31 << 32), at - table.at))
    return b"".join([_WORD.pack(start % _WORDS) + _WORD.pack(at) for start, at in sorted(pairs)])


def _tables(content: bytes | bytearray) -> Iterator[UnwindTable]:
    """Yield the tables, each behind the records of the one before it."""
    at = content.find(_MARK)
    while 0 <= at <= len(content) - _HEAD.size:
        _, distance, count = _HEAD.unpack_from(content, at)
        frames = at + 4 + distance
        if at + _HEAD.size + _PAIR * count <= frames <= len(content):
            functions, end = _functions(content, frames)
            yield UnwindTable(at, count, frames, end, functions)
            at = content.find(_MARK, end)
        else:
            at = content.find(_MARK, at + 1)


def _functions(content: bytes | bytearray, frames: int) -> tuple[list[int], int]:
    """Return the offsets of functions' records, and where all records end."""
    functions, at, size = [], frames, len(content)
    while at + 4 + _SHORTEST <= size:
        length = _WORD.unpack_from(content, at)[0]
        if not _SHORTEST <= length <= size - at - 4:
            break
        # What functions share has zero there.
        if _WORD.unpack_from(content, at + 4)[0]:
            functions.append(at)
        at += 4 + length
    return functions, at
