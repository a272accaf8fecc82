"""The dynamic section, found through PT_DYNAMIC (pure).

Specification: gABI "Dynamic Section", glibc elf/elf.h for the DT_GNU and Sun extensions. Entries are
(d_tag, d_val) pairs of words up to DT_NULL. glibc keeps the last entry of a tag that should be unique
(elf/get-dynamic-info.h stores into an array by tag); so does `Dynamic.value`.

Like ld.so, the section is found by PT_DYNAMIC's p_vaddr, not its p_offset.

Limits: 65,536 entries; the string table's budget for all names.
"""

from __future__ import annotations

from _operator import itemgetter  # not operator, whose Python module takes 0.6 ms to import
from itertools import takewhile
from struct import Struct

from denizen.elf import constants as c
from denizen.elf.strings import StringTable
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from denizen.elf.header import Segment
    from denizen.elf.mapped_segments import Memory

MAX_ENTRIES = 65_536
_PAIRS = {
    (order == "<", bits): Struct(order + pair) for order in "<>" for bits, pair in ((32, "II"), (64, "QQ"))
}
# DT_NULL, which ends the section, is 0.
_TAG = itemgetter(0)


class Dynamic(Value):
    """The dynamic section; tags that name strings are resolved, all others are in `entries` and `values`.

    Attributes:
        entries: (d_tag, d_val) pairs in file order.
        values: d_val of the last entry of each tag.
    """

    entries: tuple[tuple[int, int], ...]
    needed: tuple[bytes, ...]
    soname: bytes | None
    rpath: bytes | None
    runpath: bytes | None
    audit: bytes | None
    depaudit: bytes | None
    filter: tuple[bytes, ...]
    auxiliary: tuple[bytes, ...]
    values: Mapping[int, int]

    def value(self, tag: int) -> int | None:
        """Return d_val of the last entry with this tag, or None."""
        return self.values.get(tag)

    @property
    def flags(self) -> int:
        """DT_FLAGS, 0 where absent."""
        return self.values.get(c.DT_FLAGS, 0)

    @property
    def flags_1(self) -> int:
        """DT_FLAGS_1, 0 where absent."""
        return self.values.get(c.DT_FLAGS_1, 0)

    @property
    def symbolic(self) -> bool:
        """True where references are looked up in the object itself first."""
        return c.DT_SYMBOLIC in self.values or bool(self.flags & c.DF_SYMBOLIC)

    @property
    def bind_now(self) -> bool:
        """True where all symbols are bound at start, by any of the three tags and flags for it."""
        return (
            c.DT_BIND_NOW in self.values
            or bool(self.flags & c.DF_BIND_NOW)
            or bool(self.flags_1 & c.DF_1_NOW)
        )

    @property
    def text_relocations(self) -> bool:
        """True where relocations write to read-only segments (refused by SELinux and by musl)."""
        return c.DT_TEXTREL in self.values or bool(self.flags & c.DF_TEXTREL)


def parse_entries(memory: Memory, segment: Segment) -> tuple[tuple[int, int], ...]:
    """Return the (d_tag, d_val) pairs of PT_DYNAMIC up to DT_NULL. Raises Malformed."""
    layout = _PAIRS[memory.little, memory.bits]
    pair = layout.size
    limit = min(segment.memory_size, MAX_ENTRIES * pair)
    data = memory.view_to_end(segment.address, limit, "dynamic section")
    pairs: Iterator[tuple[int, int]] = layout.iter_unpack(data[: len(data) // pair * pair])
    return tuple(takewhile(_TAG, pairs))


def string_table(memory: Memory, values: dict[int, int]) -> StringTable:
    """Return DT_STRTAB's table, of DT_STRSZ bytes or as far as the file maps it; empty where there is none.

    Raises:
        Malformed: its address is not mapped from the file.
    """
    address = values.get(c.DT_STRTAB)
    if address is None:
        return StringTable(b"")
    size = values.get(c.DT_STRSZ, 1 << 32)
    start, available = memory.locate(address, "string table")
    if size > available or isinstance(memory.buffer, memoryview):
        return StringTable(memory.read_to_end(address, size, "string table"), address)
    return StringTable(memory.buffer, address, start=start, end=start + size)


def resolve(entries: tuple[tuple[int, int], ...], values: dict[int, int], strings: StringTable) -> Dynamic:
    """Return the dynamic section with its names looked up.

    Raises Malformed: a name outside the string table.
    """
    at = strings.at

    def every(tag: int) -> tuple[bytes, ...]:
        return tuple([at(where) for key, where in entries if key == tag])

    # Written out: this is for each library of a program, and most of these tags are in none.
    return Dynamic(
        entries,
        every(c.DT_NEEDED) if c.DT_NEEDED in values else (),
        at(values[c.DT_SONAME]) if c.DT_SONAME in values else None,
        at(values[c.DT_RPATH]) if c.DT_RPATH in values else None,
        at(values[c.DT_RUNPATH]) if c.DT_RUNPATH in values else None,
        at(values[c.DT_AUDIT]) if c.DT_AUDIT in values else None,
        at(values[c.DT_DEPAUDIT]) if c.DT_DEPAUDIT in values else None,
        every(c.DT_FILTER) if c.DT_FILTER in values else (),
        every(c.DT_AUXILIARY) if c.DT_AUXILIARY in values else (),
        values,
    )
