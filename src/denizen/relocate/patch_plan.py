"""The plan to patch an ELF file: which bytes change, and what is put in (pure).

    plan = plan_patch(image, Changes(interpreter=b"/lib/ld.so"))
    new = apply(plan, buffer)

No segment moves, neither in the file nor in memory; what grows goes elsewhere (patch_layout.py). The
old bytes of a part that has moved stay: the code may refer to them (`_DYNAMIC`).
"""

from __future__ import annotations

from denizen.elf import Segment
from denizen.elf import constants as c
from denizen.relocate import new_segment, spare_program_header
from denizen.relocate.elf_encoding import E_PHNUM, E_PHOFF, Encoding
from denizen.relocate.elf_parts import (
    DT_MIPS_RLD_MAP_REL,
    dynamic_table,
    string_table_place,
    with_own_addresses,
    with_values,
)
from denizen.relocate.errors import CannotPatch
from denizen.relocate.file_edits import FileEdit, FilePlan, merged
from denizen.relocate.patch_changes import check_names, wanted
from denizen.relocate.patch_layout import PART_NAMES, PartContents, lay_out, whole_table
from denizen.relocate.patch_undo import undo_record
from denizen.relocate.payload_rules import LONGEST_COMMENT
from denizen.relocate.section_edits import move_sections, shorten_needs
from denizen.relocate.string_places import StringPlan, place_strings, requested, string_bytes
from denizen.relocate.version_edits import drop_needs, rename_needs, with_versions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.elf import Image
    from denizen.relocate.new_segment import Ground, OwnSegment
    from denizen.relocate.patch_changes import Changes, Wanted
    from denizen.relocate.patch_layout import Entries, PatchLayout
    from denizen.relocate.patch_room import FilePlace

# The types of program headers that lead to parts.
_LEADING = {c.PT_INTERP: "interpreter", c.PT_DYNAMIC: "dynamic", spare_program_header.PT_PHDR: "headers"}


def plan_patch(image: Image, changes: Changes, *, reversible: bool = False) -> FilePlan:
    """Return the plan to change a file; an empty one where it is as asked for already.

    `reversible`: what grows goes into a segment together with the bytes that were there (patch_undo.py).

    Raises:
        CannotPatch: a part is not there, or there is no room.
        BadInput: the file is malformed.
    """
    if image.header.type not in (c.ET_EXEC, c.ET_DYN):
        raise CannotPatch("it is neither a program nor a shared library")
    check_names(changes)
    target = wanted(image, changes)
    if target.interpreter is None and target.entries is None:
        return FilePlan(insert_at=len(image.buffer))
    own = new_segment.own_segment(image)
    content = _content(image, target, own)
    layout = lay_out(image, content, own, reversible=reversible)
    plan = _plan(image, content, layout, own)
    if not reversible or layout.ground is None or layout.ground.cut:
        return plan
    undo = undo_record(plan.edits, image.buffer, layout.ground.insert_at)
    return _plan(image, content, layout.longer(len(undo)), own, undo)


def _content(image: Image, target: Wanted, own: OwnSegment | None) -> PartContents:
    interpreter = None if target.interpreter is None else target.interpreter + b"\0"
    if target.entries is None:
        return PartContents(interpreter, StringPlan(), None, None)
    original = own.strings if own is not None and own.holds(string_table_place(image).offset) else 0
    strings = place_strings(image, requested(image, target), original)
    versions = drop_needs(image, target.unneeded, Encoding(image.header)) if target.unneeded else None
    entries = strings.entries or ()
    if versions is not None:
        entries = with_versions(entries, versions)
    return PartContents(interpreter, strings, versions, entries, dynamic_table(image))


def _plan(
    image: Image, content: PartContents, layout: PatchLayout, own: OwnSegment | None, undo: bytes = b""
) -> FilePlan:
    encoding = Encoding(image.header)
    entries = _entries(image, content, layout.places)
    pieces = _pieces(image, content, layout, entries, encoding)
    ground = layout.ground
    inside, edits = {}, []
    for name, place in layout.places.items():
        if ground is not None and place.offset >= ground.place.offset:
            inside[name] = (place, pieces[name])
        else:
            edits.append(FileEdit(place.offset, pieces[name], PART_NAMES[name]))
    edits += _in_place(image, content, layout.places, pieces, encoding)
    edits += _header_edits(image, layout, pieces["headers"], encoding)
    edits += _version_edits(image, content, encoding) if content.strings.needs or content.versions else ()
    edits += move_sections(image, _moves(image, layout.places, pieces), encoding) if layout.places else ()
    size = len(image.buffer)
    if ground is None:
        return FilePlan(merged(edits, image.buffer, size), size, steps=layout.words)
    edits += _comment_edit(image, layout, ground)
    inserted = new_segment.content(ground, layout.size, _original(image, layout, own), inside, undo)
    return FilePlan(
        merged(edits, image.buffer, ground.insert_at),
        ground.insert_at,
        ground.cut,
        ground.padding,
        inserted,
        ground.tail,
        layout.words,
    )


def _original(image: Image, layout: PatchLayout, own: OwnSegment | None) -> int:
    """Return the length of the string table before any patch moved it; 0 where none has."""
    if own is not None and own.strings:
        return own.strings
    return len(string_bytes(image)) if "strings" in layout.places else 0


def _entries(image: Image, content: PartContents, places: dict[str, FilePlace]) -> Entries | None:
    """Return the dynamic section for the new places; None where it stays as it is."""
    if content.entries is None and not {"strings", "dynamic"} & places.keys():
        return None
    dynamic = image.dynamic
    assert dynamic is not None
    entries = dynamic.entries if content.entries is None else content.entries
    if "strings" in places:
        new = {c.DT_STRTAB: places["strings"].address, c.DT_STRSZ: len(whole_table(image, content))}
        entries = with_values(entries, new)
    if DT_MIPS_RLD_MAP_REL not in dynamic.values:
        return entries
    old = _dynamic_address(image)
    address = places["dynamic"].address if "dynamic" in places else old
    return with_own_addresses(entries, dynamic.entries, (old, address), image.header.bits // 4)


def _dynamic_address(image: Image) -> int:
    row = image.first_rows.get(c.PT_DYNAMIC)
    assert row is not None
    return row.address


def _pieces(
    image: Image,
    content: PartContents,
    layout: PatchLayout,
    entries: Entries | None,
    encoding: Encoding,
) -> dict[str, bytes]:
    """Return the bytes of all parts that move, and of those that change where they are."""
    pieces: dict[str, bytes] = {}
    row = image.first_rows.get(c.PT_INTERP)
    if content.interpreter is not None:
        pieces["interpreter"] = content.interpreter
    elif row is not None:
        pieces["interpreter"] = bytes(image.buffer[row.offset : row.offset + row.file_size])
    if entries is not None:
        pieces["dynamic"] = encoding.dynamic(entries)
    if "strings" in layout.places:
        pieces["strings"] = whole_table(image, content)
    pieces["headers"] = encoding.segments(_rows(layout, pieces, encoding))
    return pieces


def _rows(layout: PatchLayout, pieces: dict[str, bytes], encoding: Encoding) -> list[Segment]:
    """Return the program headers, those that lead to parts that moved included."""
    rows = list(layout.rows)
    for index, row in enumerate(rows):
        name = _LEADING.get(row.type)
        if name is None:
            continue
        size = len(rows) * encoding.segment_size if name == "headers" else len(pieces.get(name, b""))
        place = layout.places.get(name)
        if place is not None:
            at = (place.offset, place.address, place.address)
            rows[index] = Segment._make((row.type, row.flags, *at, size, size, row.alignment))
        elif name == "headers":
            rows[index] = Segment._make((*row[:5], size, size, row.alignment))
    return rows


def _in_place(
    image: Image,
    content: PartContents,
    places: dict[str, FilePlace],
    pieces: dict[str, bytes],
    encoding: Encoding,
) -> list[FileEdit]:
    """Return the edits of parts that stay where they are; shorter ones are filled up with NULs."""
    edits = []
    row = image.first_rows.get(c.PT_INTERP)
    if content.interpreter is not None and "interpreter" not in places and row is not None:
        path = content.interpreter.ljust(row.file_size, b"\0")
        edits.append(FileEdit(row.offset, path, PART_NAMES["interpreter"]))
    if "dynamic" in pieces and "dynamic" not in places and image.dynamic is not None:
        table = content.table or dynamic_table(image)
        used = min(len(image.dynamic.entries) + 1, table.slots) * encoding.entry_size
        edits.append(
            FileEdit(table.place.offset, pieces["dynamic"].ljust(used, b"\0"), PART_NAMES["dynamic"])
        )
    if "strings" not in places:
        overwritten = content.strings.overwritten
        start = string_table_place(image).offset if overwritten else 0
        edits += [FileEdit(start + at, name, "a name") for at, name in overwritten]
    return edits


def _header_edits(image: Image, layout: PatchLayout, table: bytes, encoding: Encoding) -> list[FileEdit]:
    """Return the edits of the ELF header, and of the program headers where they do not move."""
    header, count = image.header, len(layout.rows)
    edits = (
        [] if count == header.phnum else [FileEdit(E_PHNUM[header.bits], encoding.half(count), "ELF header")]
    )
    place = layout.places.get("headers")
    if place is None:
        return [*edits, FileEdit(header.phoff, table, PART_NAMES["headers"])]
    return [*edits, FileEdit(E_PHOFF[header.bits], encoding.word(place.offset), "ELF header")]


def _comment_edit(image: Image, layout: PatchLayout, ground: Ground) -> list[FileEdit]:
    """Return the edit by which the new segment becomes a part of a zip archive's comment.

    Raises CannotPatch: no comment is as long.
    """
    at = ground.comment
    if not at:
        return []
    length = int.from_bytes(image.buffer[at : at + 2], "little")
    length += ground.padding + layout.size - ground.cut
    if length > LONGEST_COMMENT:
        raise CannotPatch(
            f"a zip archive is appended to it, whose comment cannot hold the {layout.size} bytes more"
        )
    return [FileEdit(at, length.to_bytes(2, "little"), "the length of the archive's comment")]


def _version_edits(image: Image, content: PartContents, encoding: Encoding) -> list[FileEdit]:
    edits = rename_needs(content.strings.needs, encoding)
    plan = content.versions
    if plan is None:
        return edits
    return [*edits, *plan.edits, *shorten_needs(image, plan.first or 0, plan.count, encoding)]


def _moves(
    image: Image, places: dict[str, FilePlace], pieces: dict[str, bytes]
) -> dict[str, tuple[int, FilePlace, int]]:
    """Return the old address, new place and size of each part that moves, for its section header."""
    moves = {}
    row = image.first_rows.get(c.PT_INTERP)
    old = {"interpreter": row.address if row else 0}
    if image.dynamic is not None:
        old["dynamic"] = _dynamic_address(image)
        old["strings"] = image.dynamic.values.get(c.DT_STRTAB, 0)
    for name, place in places.items():
        if name in old:
            moves[name] = (old[name], place, len(pieces[name]))
    return moves
