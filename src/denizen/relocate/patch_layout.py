"""The places of the parts that a patch makes longer (pure).

A part that grows goes to the first of these places:

    its own    where it is, as far as it fits
    slack      unused bytes of a segment's last page (patch_room.py); the file does not grow
    segment    one more segment, behind all others (new_segment.py, spare_program_header.py)
"""

from __future__ import annotations

from denizen.elf import constants as c
from denizen.relocate import new_segment, spare_program_header
from denizen.relocate.elf_parts import dynamic_table, is_contiguous, string_table_place
from denizen.relocate.errors import CannotPatch
from denizen.relocate.patch_room import GrownPart, fit, with_fields
from denizen.relocate.string_places import string_bytes
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from denizen.elf import Image, Segment
    from denizen.relocate.elf_parts import DynamicTable
    from denizen.relocate.new_segment import Ground, OwnSegment
    from denizen.relocate.patch_room import FilePlace
    from denizen.relocate.string_places import StringPlan
    from denizen.relocate.version_edits import VersionPlan

    Entries: TypeAlias = tuple[tuple[int, int], ...]

PART_NAMES = {
    "interpreter": "the interpreter's path",
    "strings": "the string table",
    "dynamic": "the dynamic section",
    "headers": "the program headers",
}


class PartContents(Value):
    """The content that the parts shall have.

    Attributes:
        interpreter: the path with its NUL; None where it stays.
        strings: the names' places.
        versions: what becomes of the version needs; None where no library goes.
        entries: the dynamic section, with the addresses that it has now; None where it stays.
        table: the dynamic section's place; None where `entries` is.
    """

    interpreter: bytes | None
    strings: StringPlan
    versions: VersionPlan | None
    entries: Entries | None
    table: DynamicTable | None = None


class PatchLayout(Value):
    """The places of the parts.

    Attributes:
        places: of the parts that move.
        rows: the program headers, but for those that lead to the parts.
        ground, size: the segment put in; None, 0 where there is none.
        words: how the room was made.
    """

    places: dict[str, FilePlace]
    rows: tuple[Segment, ...]
    ground: Ground | None = None
    size: int = 0
    words: tuple[str, ...] = ()

    def longer(self, more: int) -> PatchLayout:
        """Return the layout with a longer segment."""
        assert self.ground is not None
        place = self.ground.place
        rows = [
            with_fields(row, file_size=self.size + more, memory_size=self.size + more)
            if (row.type, row.offset, row.address) == (c.PT_LOAD, place.offset, place.address)
            else row
            for row in self.rows
        ]
        return replace(self, rows=tuple(rows), size=self.size + more)


def lay_out(
    image: Image, content: PartContents, own: OwnSegment | None, *, reversible: bool = False
) -> PatchLayout:
    """Return places for all parts that do not fit where they are.

    `reversible`: in a segment alone, where the old bytes can be kept.

    Raises CannotPatch: there is no room.
    """
    parts = _growing(image, content)
    if not parts:
        return PatchLayout({}, image.segments)
    found = None if reversible else fit(image, parts)
    if found is not None:
        words = [f"{PART_NAMES[one.name]} goes into unused bytes of a page" for one in parts]
        return PatchLayout(*found, words=tuple(words))
    if own is not None:
        return _rebuilt(image, parts, own)
    return _with_new_segment(image, parts)


def _growing(image: Image, content: PartContents) -> list[GrownPart]:
    """Return the parts that do not fit where they are, in the order in which a segment has them."""
    parts = []
    row = image.first_rows.get(c.PT_INTERP)
    if content.interpreter is not None and (row is None or len(content.interpreter) > row.file_size):
        parts.append(GrownPart("interpreter", len(content.interpreter)))
    table = content.table
    if content.entries is not None and table is not None:
        pair = image.header.bits // 4
        if len(content.entries) + 1 > table.slots:
            parts.append(GrownPart("dynamic", (len(content.entries) + 1) * pair, table.writable))
    if content.strings.table is not None or (content.strings.overwritten and not is_contiguous(image)):
        parts.append(GrownPart("strings", len(whole_table(image, content))))
    return parts


def whole_table(image: Image, content: PartContents) -> bytes:
    """Return the whole string table as it shall be."""
    if content.strings.table is not None:
        return content.strings.table
    table = bytearray(string_bytes(image))
    for at, name in content.strings.overwritten:
        table[at : at + len(name)] = name
    return bytes(table)


def _rebuilt(image: Image, parts: list[GrownPart], own: OwnSegment) -> PatchLayout:
    """Return the layout where the segment of an earlier patch is built anew, with all that it held."""
    held = _held(image, own)
    there = {part.name: part for part in (*held, *parts)}
    order = [there[name] for name in ("headers", "interpreter", "dynamic", "strings") if name in there]
    ground = new_segment.ground_of(image, own)
    places, size = new_segment.laid_out(ground, order)
    row = new_segment.row_of(image, ground, size, writable=any(part.writable for part in order))
    rows = (*image.segments[: own.index], row, *image.segments[own.index + 1 :])
    return PatchLayout(places, rows, ground, size, ("the segment of an earlier patch is built anew",))


def _held(image: Image, own: OwnSegment) -> list[GrownPart]:
    """Return the parts that the segment of an earlier patch holds, as they are."""
    parts = []
    row = image.first_rows.get(c.PT_INTERP)
    if own.holds(image.header.phoff):
        parts.append(GrownPart("headers", len(image.segments) * image.header.phentsize))
    if row is not None and own.holds(row.offset):
        parts.append(GrownPart("interpreter", row.file_size))
    if image.dynamic is not None:
        table = dynamic_table(image)
        if own.holds(table.place.offset):
            parts.append(
                GrownPart(
                    "dynamic", (len(image.dynamic.entries) + 1) * image.header.bits // 4, table.writable
                )
            )
        if own.holds(string_table_place(image).offset):
            parts.append(GrownPart("strings", len(string_bytes(image))))
    return parts


def _with_new_segment(image: Image, parts: list[GrownPart]) -> PatchLayout:
    """Return the layout with one more segment, whose program header gets a row first."""
    row = image.first_rows.get(c.PT_INTERP)
    moved = any(part.name == "interpreter" for part in parts) and row is not None
    going = (row.offset, row.offset + row.file_size) if moved and row is not None else None
    spared = spare_program_header.spared(image)
    if spared is not None:
        return _added(image, parts, spared[0], f"its program header replaces {spared[1]}")
    if spare_program_header.has_room_behind(image, going):
        return _added(image, parts, image.segments, "its program header goes behind the others")
    note = spare_program_header.spared_note(image)
    if note is not None and image.sections:
        return _added(image, parts, note[0], f"its program header replaces {note[1]}")
    try:
        return _with_moved_headers(image, parts)
    except CannotPatch:
        if note is None:
            raise
        return _added(image, parts, note[0], f"its program header replaces {note[1]}")


def _with_moved_headers(image: Image, parts: list[GrownPart]) -> PatchLayout:
    headers = GrownPart("headers", (len(image.segments) + 1) * image.header.phentsize)
    inside = fit(image, [headers], first_only=True)
    warning = "; it must not be stripped afterwards" if image.sections else ""
    if inside is not None:
        words = f"the program headers move into unused bytes of a page{warning}"
        added = _added(image, parts, inside[1], words)
        return replace(added, places=added.places | inside[0])
    words = f"the program headers move into it{warning}"
    return _added(image, [headers, *parts], image.segments, words)


def _added(image: Image, parts: list[GrownPart], rows: tuple[Segment, ...], words: str) -> PatchLayout:
    ground = new_segment.new_ground(image, has_headers=any(part.name == "headers" for part in parts))
    places, size = new_segment.laid_out(ground, parts)
    row = new_segment.row_of(image, ground, size, writable=any(part.writable for part in parts))
    said = (f"{' and '.join(PART_NAMES[part.name] for part in parts)} go into a new segment", words)
    return PatchLayout(places, spare_program_header.with_row(rows, row), ground, size, said)
