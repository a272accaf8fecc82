"""A row of the program header table for one more segment (pure).

The table lies ahead of the first section, mostly without room behind it. In this order a row is found:

    a row that says nothing, or that another row says too (SUPERFLUOUS)
    unused bytes behind the table
    in a file with section headers, the row of a note that only names the build and the ABI: its section stays
    the table moved into unused bytes of a segment (patch_room.py), or into the new segment
    in other files, the same note

strip(1) writes the table behind the ELF header again, wherever it was, and moves sections to make room: code
then refers to what is elsewhere (in all of 68 files). So the table of a file that can be stripped moves only
where there is no other way, and that is told.

A moved table must be mapped where the kernel says it is. Before Linux 5.18 that is its file offset plus the
distance of address and offset of the first PT_LOAD (fs/binfmt_elf.c, AT_PHDR), so the segment that holds it
must have the same distance. The row of PT_PHDR cannot be spared in a position-independent program: ld.so
takes the program's load address from it (glibc elf/rtld.c, musl ldso/dynlink.c). PT_GNU_STACK, PT_GNU_RELRO
and PT_GNU_EH_FRAME say what nothing else says.
"""

from __future__ import annotations

from denizen.elf import constants as c
from denizen.relocate.patch_room import used_ranges

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from denizen.elf import Image, Segment

    RowTest: TypeAlias = Callable[[Image, Segment], bool]

PT_NULL, PT_PHDR, PT_GNU_PROPERTY, PT_PAX_FLAGS = 0, 6, 0x6474E553, 0x65041580
_SHF_ALLOC = 2
# Notes that say where a file is from, and nothing that a loader acts upon: NT_GNU_ABI_TAG, NT_GNU_BUILD_ID.
_NAMING = frozenset({(b"GNU", 1), (b"GNU", 3)})


def _repeats_property(image: Image, row: Segment) -> bool:
    """Tell whether a note holds just the properties that PT_GNU_PROPERTY leads to."""
    twins = [one for one in image.segments if one.type == PT_GNU_PROPERTY]
    return row.type == c.PT_NOTE and any(
        row.address == one.address and row.file_size == one.file_size for one in twins
    )


def _needless_phdr(image: Image, row: Segment) -> bool:
    started = any(one.type == c.PT_INTERP for one in image.segments)
    return row.type == PT_PHDR and (image.header.type == c.ET_EXEC or not started)


SUPERFLUOUS: tuple[tuple[str, RowTest], ...] = (
    ("an unused row", lambda _, row: row.type == PT_NULL),
    ("PaX flags, which no kernel reads any more", lambda _, row: row.type == PT_PAX_FLAGS),
    ("an empty note", lambda _, row: row.type == c.PT_NOTE and not row.file_size),
    ("a note that PT_GNU_PROPERTY repeats", _repeats_property),
    ("PT_PHDR, which only position-independent programs need", _needless_phdr),
)

# The types of rows that one of the tests may find superfluous.
_SPARABLE = frozenset({PT_NULL, PT_PHDR, PT_PAX_FLAGS, c.PT_NOTE})


def spared(image: Image) -> tuple[tuple[Segment, ...], str] | None:
    """Return the rows without a superfluous one, and which it was; None where all are needed."""
    rows = [(index, row) for index, row in enumerate(image.segments) if row.type in _SPARABLE]
    for words, is_superfluous in SUPERFLUOUS:
        for index, row in rows:
            if is_superfluous(image, row):
                return _without(image.segments, index), words
    return None


def spared_note(image: Image) -> tuple[tuple[Segment, ...], str] | None:
    """Return the rows without a note that only names the build and the ABI, for want of a better."""
    records = image.notes.records
    for index, row in enumerate(image.segments):
        within = range(row.offset, row.offset + row.file_size)
        inside = [(one.owner, one.type) for one in records if one.offset in within]
        if row.type == c.PT_NOTE and inside and set(inside) <= _NAMING:
            return _without(image.segments, index), "the row of the note that names the build"
    return None


def has_room_behind(image: Image, moved: tuple[int, int] | None) -> bool:
    """Tell whether one more row fits behind the table.

    Only section headers tell what the bytes there belong to. `moved` is the range of a part that goes away.
    """
    header = image.header
    start = header.phoff + header.phnum * header.phentsize
    end = start + header.phentsize
    if not any(row[2] & _SHF_ALLOC for row in image.sections) or _is_filled(image, start, end, moved):
        return False
    whole = [one for one in image.segments if one.type == c.PT_LOAD]
    mapped = {(one.offset, one.offset + one.file_size) for one in whole}
    if not any(first <= header.phoff and end <= last for first, last in mapped):
        return False
    payload = (image.end, len(image.buffer))
    used = [one for one in (*used_ranges(image), payload) if one not in mapped and one != moved]
    return not any(first < end and start < last for first, last in used)


def _is_filled(image: Image, start: int, end: int, moved: tuple[int, int] | None) -> bool:
    """Tell whether a range of the file has bytes other than NUL, beside those of a part that goes away."""
    first, last = moved or (end, end)
    parts = (start, min(end, first)), (max(start, last), end)
    return any(bytes(image.buffer[at:stop]).strip(b"\0") for at, stop in parts if at < stop)


def with_row(rows: tuple[Segment, ...], row: Segment) -> tuple[Segment, ...]:
    """Return the table with a PT_LOAD behind the last one: loaders want them by address."""
    last = max([index for index, one in enumerate(rows) if one.type == c.PT_LOAD], default=len(rows) - 1)
    return (*rows[: last + 1], row, *rows[last + 1 :])


def _without(rows: tuple[Segment, ...], index: int) -> tuple[Segment, ...]:
    return (*rows[:index], *rows[index + 1 :])
