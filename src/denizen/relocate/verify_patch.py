"""Verification of a patched file: parsed again, as asked for, and otherwise as before (pure).

The patched bytes are compared with the old ones by what loaders and tools read, not by how the plan was made.
"""

from __future__ import annotations

from denizen.elf import constants as c
from denizen.elf.hashtables import SYMBOL_SIZE, extent
from denizen.elf.image import read
from denizen.relocate.errors import WrongPatch
from denizen.relocate.patch_changes import STRING_TAGS, wanted
from denizen.relocate.patch_plan import plan_patch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.bytesio import Buffer
    from denizen.elf import Image
    from denizen.relocate.file_edits import FilePlan
    from denizen.relocate.patch_changes import Changes

# Tags that a patch may add, drop or change; each that stays must keep its value.
_CHANGED = STRING_TAGS | {
    c.DT_STRTAB, c.DT_STRSZ, c.DT_FLAGS_1, c.DT_VERNEED, c.DT_VERNEEDNUM, c.DT_VERSYM, 0x70000035,
}  # fmt: skip
_PIECE = 256 * 1024


def verify_patch(old: Image, buffer: Buffer, plan: FilePlan, changes: Changes) -> None:
    """Return if `buffer`, the patched file, is right.

    Raises:
        WrongPatch: a part is not as asked for, or something else changed.
        BadInput: it cannot be read any more.
    """
    new = read(buffer)
    # What is asked for names the same parts, so there is mostly nothing that a plan could be for.
    left = wanted(new, changes)
    if (left.interpreter, left.entries) != (None, None) and not plan_patch(new, changes).is_empty:
        raise WrongPatch("a part is not as it was asked to be")
    _same_bytes(old.buffer, buffer, plan)
    _same_segments(old, new)
    if old.dynamic is not None:
        _same_dynamic(old, new, plan)


def _same_bytes(old: Buffer, new: Buffer, plan: FilePlan) -> None:
    """Raise WrongPatch unless all bytes outside the plan are the old ones."""
    before, place = memoryview(old), 0
    for edit in plan.edits:
        if not _equal(before, new, place, edit.offset):
            raise WrongPatch("bytes outside the plan changed")
        place = edit.offset + len(edit.content)
    if not _equal(before, new, place, plan.insert_at):
        raise WrongPatch("bytes outside the plan changed")
    rest = plan.insert_at + plan.cut
    moved = plan.padding + len(plan.inserted) - plan.cut
    grown = len(new) - len(old) == moved + len(plan.tail)
    if not grown or not _equal(before, new, rest, len(old), moved):
        raise WrongPatch("the bytes behind the program changed")


def _equal(before: memoryview, new: Buffer, start: int, end: int, moved: int = 0) -> bool:
    """Tell whether a range has the same bytes, `moved` bytes later in the new file.

    A file that was read is compared where it is (memcmp); of a mapped one pieces are copied: a comparison of
    memoryviews takes ten times as long as one of bytes.
    """
    if start == end:
        return True
    if isinstance(new, bytes):
        return new.startswith(before[start:end], start + moved)
    for at in range(start, end, _PIECE):
        stop = min(at + _PIECE, end)
        if not bytes(new[at + moved : stop + moved]).startswith(before[at:stop]):
            return False
    return True


def _same_segments(old: Image, new: Image) -> None:
    """Raise WrongPatch unless every segment is mapped where it was, and as much of it."""
    there = {(one[2], one[3], one[1]): one for one in new.loads}
    for row in old.loads:
        twin = there.get((row.offset, row.address, row.flags)) or there.get(
            (row.offset, row.address, row.flags | c.PF_W)
        )
        if twin is None or (twin.memory_size < row.memory_size and not _is_rebuilt(old, row.offset)):
            raise WrongPatch(f"the segment at {row.address:#x} is not where it was")


def _is_rebuilt(old: Image, offset: int) -> bool:
    from denizen.relocate.new_segment import own_segment

    own = own_segment(old)
    return own is not None and own.row.offset == offset


def _same_dynamic(old: Image, new: Image, plan: FilePlan) -> None:
    """Raise WrongPatch unless the dynamic section has the same other tags, symbols and versions."""
    before, after = old.dynamic, new.dynamic
    if before is None or after is None:
        raise WrongPatch("the dynamic section is gone")
    kept = [one for one in before.entries if one[0] not in _CHANGED]
    if kept != [one for one in after.entries if one[0] not in _CHANGED]:
        raise WrongPatch("another tag of the dynamic section changed")
    strings_stay = _has_all_strings(old, new)
    if not (strings_stay and _symbols_stay(old, plan)) and not _same_names(old, new):
        raise WrongPatch("the names of symbols changed")
    same_needs = before.values.get(c.DT_VERNEED) == after.values.get(c.DT_VERNEED) and _needs_stay(old, plan)
    if not strings_stay or not (same_needs or old.need_records == new.need_records):
        _same_versions(old, new)


def _has_all_strings(old: Image, new: Image) -> bool:
    """Tell whether the new string table begins with the old one: each offset is the same name then."""
    data, start, end = old.strings.place
    other, at, stop = new.strings.place
    size = end - start
    if stop - at < size:
        return False
    if isinstance(other, bytes):
        return other.startswith(memoryview(data)[start:end], at)
    return bytes(data[start:end]) == bytes(other[at : at + size])


def _symbols_stay(old: Image, plan: FilePlan) -> bool:
    """Tell whether the plan leaves the symbols alone: bytes outside of it are known to be the same."""
    dynamic = old.dynamic
    assert dynamic is not None
    address = dynamic.values.get(c.DT_SYMTAB)
    if address is None or _rest_stays(old, plan, address):
        return True
    count = extent(old.memory, dynamic.values)[0]
    size = count * SYMBOL_SIZE[old.header.bits]
    offset, available = old.memory.locate(address, "dynamic symbol table")
    return size <= available and _is_apart(plan, offset, offset + size)


def _needs_stay(old: Image, plan: FilePlan) -> bool:
    """Tell whether the plan leaves all records of the versions needed alone."""
    address = old.dynamic.values.get(c.DT_VERNEED) if old.dynamic is not None else None
    if address is None or _rest_stays(old, plan, address):
        return True
    records = old.need_records
    return not records or _is_apart(plan, min(one.offset for one in records), max(one.end for one in records))


def _rest_stays(old: Image, plan: FilePlan, address: int) -> bool:
    """Tell whether the plan changes nothing from an address to the end of the segment that it is in.

    What a table refers to lies there, however long it is, so its length need not be looked up.
    """
    for row in old.loads:
        if row.address <= address < row.address + row.file_size:
            return _is_apart(plan, row.offset + address - row.address, row.offset + row.file_size)
    return False


def _is_apart(plan: FilePlan, start: int, end: int) -> bool:
    """Tell whether the plan leaves a range of the file alone, and in its place."""
    for edit in plan.edits:
        if edit.offset < end and edit.offset + len(edit.content) > start:
            return False
    return end <= plan.insert_at


def _same_versions(old: Image, new: Image) -> None:
    """Raise WrongPatch unless versions still needed are as they were, and no symbol lacks another."""
    wanted = {number for need in new.version_needs for number in [one.number for one in need.versions]}
    had = {one.number: one for need in old.version_needs for one in need.versions}
    if any(one != had.get(one.number) for need in new.version_needs for one in need.versions):
        raise WrongPatch("the versions needed changed")
    lost = had.keys() - wanted
    indices = new.symbols.version_indices or ()
    if lost and any(index & c.VERSYM_VERSION in lost for index in indices):
        raise WrongPatch("a symbol needs a version of a library that is not needed")


def _same_names(old: Image, new: Image) -> bool:
    offsets = old.symbols.name_offsets
    if offsets != new.symbols.name_offsets:
        return False
    last = max(offsets, default=0)
    # Names overwritten in place may lie between those of symbols; then each symbol's is compared.
    return _start(old, last) == _start(new, last) or old.symbols.names == new.symbols.names


def _start(image: Image, last: int) -> bytes:
    """Return the bytes of the string table up to the end of the name at `last`."""
    data, start, end = image.strings.place
    stop = data.find(b"\0", start + last, end)
    return bytes(data[start : max(start, stop)])
