"""The parts of an ELF file that a patch may move: where they are, and how much fits there (pure)."""

from __future__ import annotations

from _operator import itemgetter  # not operator, whose Python module takes 0.6 ms to import

from denizen.elf import constants as c
from denizen.relocate.patch_room import FilePlace
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.elf import Image

DT_MIPS_RLD_MAP_REL = 0x70000035
_TAG = itemgetter(0)


class DynamicTable(Value):
    """The dynamic section's place.

    Attributes:
        place: of its first entry.
        slots: entries that fit there, the last DT_NULL included.
        writable: its segment is mapped writable, as ld.so then expects of it (glibc, l_ld_readonly).
    """

    place: FilePlace
    slots: int
    writable: bool


def dynamic_table(image: Image) -> DynamicTable:
    """Return the place of the dynamic section. Raises Malformed: it is not mapped from the file."""
    row = image.first_rows.get(c.PT_DYNAMIC)
    dynamic = image.dynamic
    assert row is not None
    assert dynamic is not None
    offset, available = image.memory.locate(row.address, "dynamic section")
    pair = image.header.bits // 4
    room = min(available, row.file_size) // pair * pair
    used = (len(dynamic.entries) + 1) * pair
    rest = bytes(image.buffer[offset + used : offset + room])
    zeros = len(rest) - len(rest.lstrip(b"\0"))
    slots = (min(used, room) + zeros) // pair
    return DynamicTable(FilePlace(offset, row.address), slots, bool(row.flags & c.PF_W))


def string_table_place(image: Image) -> FilePlace:
    """Return the place of the dynamic string table. Raises Malformed: it is not mapped from the file."""
    dynamic = image.dynamic
    assert dynamic is not None
    address = dynamic.values.get(c.DT_STRTAB, 0)
    return FilePlace(image.memory.locate(address, "string table")[0], address)


def is_contiguous(image: Image) -> bool:
    """Tell whether the string table's bytes follow each other in the file: they can be overwritten then."""
    dynamic = image.dynamic
    assert dynamic is not None
    _, available = image.memory.locate(dynamic.values.get(c.DT_STRTAB, 0), "string table")
    return len(image.strings) <= available


def with_values(entries: tuple[tuple[int, int], ...], values: dict[int, int]) -> tuple[tuple[int, int], ...]:
    """Return the entries with the numbers of some tags changed."""
    changed, tags = list(entries), [*map(_TAG, entries)]
    for tag, number in values.items():
        at = -1
        # A hostile file may have one twice.
        for _ in range(tags.count(tag)):
            at = tags.index(tag, at + 1)
            changed[at] = tag, number
    return tuple(changed)


def with_own_addresses(
    entries: tuple[tuple[int, int], ...], old: tuple[tuple[int, int], ...], moved: tuple[int, int], pair: int
) -> tuple[tuple[int, int], ...]:
    """Return the entries for another place of the table: MIPS counts one value from the entry's own address.

    `moved`: the table's old and new address.
    """
    before = [moved[0] + at * pair + item for at, (tag, item) in enumerate(old) if tag == DT_MIPS_RLD_MAP_REL]
    if not before:
        return entries
    limit = 1 << (4 * pair)
    return tuple(
        (tag, (before[-1] - moved[1] - at * pair) % limit if tag == DT_MIPS_RLD_MAP_REL else item)
        for at, (tag, item) in enumerate(entries)
    )
