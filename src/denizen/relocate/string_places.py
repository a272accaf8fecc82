"""Places of new names in the dynamic string table: found, overwritten, or in a longer copy (pure).

Three ways, in this order, for each name:

    found        it is in the table already, possibly as the end of a longer name
    overwritten  the bytes of a name that nothing refers to any more, with the NULs behind it
    appended     the table is copied to where there is room, and the name follows

Linkers let one name be the end of another, so a name's bytes are free only if no symbol, version or dynamic
entry refers into them, and they are not themselves the end of a longer name.

A table that an earlier patch made is cut back to its original length before names are appended, so that a
file does not grow each time it is patched.
"""

from __future__ import annotations

from denizen.elf.versions import definition_names
from denizen.relocate.patch_changes import STRING_TAGS
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from denizen.elf import Image
    from denizen.elf.versions import NeedRecord
    from denizen.relocate.patch_changes import Entry, Wanted


class StringPlan(Value):
    """The dynamic section and the version needs with all names as offsets, and what becomes of the table.

    Attributes:
        entries: the dynamic section; None where it stays.
        needs: (record, offset of its library's name) for each version need whose name changes.
        overwritten: (offset in the table, bytes) for names that replace others.
        table: the longer table; None where it stays.
    """

    entries: tuple[tuple[int, int], ...] | None = None
    needs: tuple[tuple[NeedRecord, int], ...] = ()
    overwritten: tuple[tuple[int, bytes], ...] = ()
    table: bytes | None = None


class Request(Value):
    """The names wanted, beside the numbers that stay.

    Attributes:
        entries: the dynamic section wanted.
        named: the places of those entries that name strings, of a hundred about five.
        needs: (record, its library's name) for each version need whose name changes.
        kept: offsets of names that other version needs refer to; None for all of the file's.
    """

    entries: tuple[Entry, ...]
    named: list[int]
    needs: tuple[tuple[NeedRecord, bytes], ...] = ()
    kept: tuple[int, ...] | None = None

    @property
    def names(self) -> tuple[bytes, ...]:
        """The names wanted, each once, in the order in which they are appended."""
        wanted = [name for at in self.named if isinstance(name := self.entries[at][1], bytes)]
        wanted += [name for _, name in self.needs] if self.needs else ()
        return tuple(dict.fromkeys(wanted))


def requested(image: Image, wanted: Wanted) -> Request:
    """Return the names that an image wants. Raises BadInput."""
    dynamic = image.dynamic
    assert dynamic is not None
    entries = dynamic.entries if wanted.entries is None else wanted.entries
    named = [at for at, one in enumerate(entries) if one[0] in STRING_TAGS]
    if not wanted.renamed and not wanted.unneeded:
        return Request(entries, named)
    new, gone = dict(wanted.renamed), frozenset(wanted.unneeded)
    changed, kept = [], []
    for record in image.need_records:
        name = image.strings.at(record.file)
        if name in new:
            changed.append((record, new[name]))
        elif name not in gone:
            kept.append(record.file)
    return Request(entries, named, tuple(changed), tuple(kept))


def place_strings(image: Image, request: Request, original: int = 0) -> StringPlan:
    """Return places for all names wanted.

    Args:
        image: the file.
        request: the names.
        original: the length of the string table before an earlier patch; 0 where there was none.

    Raises:
        BadInput: a table that must be read is malformed.
    """
    names = request.names
    table = string_bytes(image)
    if not names:
        return StringPlan(_numbered(request, {})[0], (), (), None)
    found = {name: at for name in names if (at := table.find(name + b"\0")) >= 0}
    missing = [name for name in names if name not in found] if found else names
    if not missing:
        return StringPlan(*_numbered(request, found))
    over = _overwrite(image, request, table, found, missing)
    if len(over) == len(missing):
        regions = tuple(sorted((at, name.ljust(room, b"\0")) for name, (at, room) in over.items()))
        return StringPlan(*_numbered(request, found | {name: at for name, (at, _) in over.items()}), regions)
    if not original:
        return _appended(request, table, len(table), missing)
    return _appended(_with_appended(image, request, original), table, original, ())


def string_bytes(image: Image) -> bytes:
    """Return the string table as it is, the NUL that ends it included."""
    data, start, end = image.strings.place
    return bytes(data[start:end])


def references(image: Image, request: Request) -> list[int]:
    """Return the offsets of all names that stay. Raises BadInput."""
    dynamic = image.dynamic
    assert dynamic is not None
    items = [request.entries[at][1] for at in request.named]
    kept = [item for item in items if isinstance(item, int)]
    records = image.need_records
    files = [one.file for one in records] if request.kept is None else request.kept
    versions = [name for record in records for name in record.names]
    defined = definition_names(image.memory, dict(dynamic.values))
    return [*kept, *files, *versions, *defined, *image.symbols.name_offsets]


def _numbered(
    request: Request, places: dict[bytes, int]
) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[NeedRecord, int], ...]]:
    entries = _with_items(request, lambda item: places[item] if isinstance(item, bytes) else item)
    needs = [(record, places[name]) for record, name in request.needs] if request.needs else ()
    return entries, tuple(needs)


def _with_items(request: Request, number: Callable[[int | bytes], int]) -> tuple[tuple[int, int], ...]:
    """Return the dynamic section wanted with an offset for each name."""
    entries = list(request.entries)
    for at in request.named:
        tag, item = entries[at]
        entries[at] = tag, number(item)
    return tuple(entries)  # type: ignore[arg-type]  # bytes are names' alone


def _with_appended(image: Image, request: Request, original: int) -> Request:
    """Return the request with the version needs whose library's name an earlier patch appended."""
    changing = {record.offset for record, _ in request.needs}
    more = [one for one in image.need_records if one.file >= original and one.offset not in changing]
    needs = [*request.needs, *((one, image.strings.at(one.file)) for one in more)]
    return Request(request.entries, request.named, tuple(needs), request.kept)


def _overwrite(
    image: Image, request: Request, table: bytes, found: dict[bytes, int], missing: Sequence[bytes]
) -> dict[bytes, tuple[int, int]]:
    """Return (offset, length to write) for the missing names that fit over names no longer used."""
    free = _given_up(image, request)
    longest = max(map(len, missing))
    # Symbols are read only where it matters which of the names they refer to.
    if not (free and any(_may_hold(table, at, longest) for at in free)):
        return {}
    used = sorted({*references(image, request), *found.values()})
    regions = [one for at in free if (one := _region(table, at, used))]
    over: dict[bytes, tuple[int, int]] = {}
    for name in sorted(missing, key=lambda one: (len(one), one), reverse=True):
        fitting = [one for one in regions if one[1] > len(name)]
        if not fitting:
            return {}
        at, room, length = min(fitting, key=lambda one: (one[1], one[0]))
        regions.remove((at, room, length))
        over[name] = (at, max(len(name), length))
    return over


def _given_up(image: Image, request: Request) -> list[int]:
    """Return the offsets of names that the dynamic section and the version needs referred to, sorted."""
    dynamic = image.dynamic
    assert dynamic is not None
    # Mostly an entry is added and none goes.
    if not request.needs and request.entries[: len(dynamic.entries)] == dynamic.entries:
        return []
    kept = {request.entries[at][1] for at in request.named}
    old = {item for tag, item in dynamic.entries if tag in STRING_TAGS}
    return sorted((old | {need.file for need, _ in request.needs}) - kept)


def _may_hold(table: bytes, at: int, length: int) -> bool:
    """Tell whether a name as long and its NUL fit over the one at `at` and the NULs behind it."""
    end = table.find(b"\0", at)
    return end >= 0 and at + length < len(table) and not table[end : at + length + 1].strip(b"\0")


def _region(table: bytes, at: int, used: list[int]) -> tuple[int, int, int] | None:
    """Return (offset, bytes free, length of the old name) of a name that nothing refers to; else None."""
    from bisect import bisect_left

    end = table.find(b"\0", at)
    if at <= 0 or end < 0 or table[at - 1]:
        return None
    following = bisect_left(used, at)
    limit = used[following] if following < len(used) else len(table)
    if limit <= end:
        return None
    rest = table[end:limit]
    return at, end + len(rest) - len(rest.lstrip(b"\0")) - at, end - at


def _appended(request: Request, table: bytes, original: int, absent: Container[bytes]) -> StringPlan:
    """Return a plan with a longer table: the original names, and behind them all that are not among these.

    `absent`: names of which it is known that the original table does not have them.
    """
    start = table[:original]
    names: dict[bytes, int] = {}
    more = b""

    def place(name: bytes) -> int:
        nonlocal more
        if name not in names:
            at = -1 if name in absent else start.find(name + b"\0")
            if at < 0:
                at = len(start) + len(more)
                more += name + b"\0"
            names[name] = at
        return names[name]

    def moved(item: int | bytes) -> int:
        if isinstance(item, bytes):
            return place(item)
        return place(table[item : table.find(b"\0", item)]) if item >= original else item

    entries = _with_items(request, moved)
    needs = [(record, place(name)) for record, name in request.needs] if request.needs else ()
    return StringPlan(entries, tuple(needs), (), start + more)
