"""Symbol versions: those needed of other libraries and those defined (pure).

Specification: Solaris' and glibc's symbol versioning (LSB Core, "Symbol Versioning"; glibc elf/dl-version.c).

    Verneed  version:2 cnt:2 file:4 aux:4 next:4      Vernaux  hash:4 flags:2 other:2 name:4 next:4
    Verdef   version:2 flags:2 ndx:2 cnt:2 hash:4 aux:4 next:4        Verdaux  name:4 next:4

Like ld.so, lists are followed by their `next` fields until 0, not by the counts stored beside them. The
records have the same size in both classes.

Limits: 8,192 records, and no more than fit into the mapped bytes without overlap, so a cyclic list ends.
libstdc++ has 130.
"""

from __future__ import annotations

from struct import Struct

from denizen.elf import constants as c
from denizen.elf.cached_property import once
from denizen.elf.errors import Malformed
from denizen.errors import display
from denizen.value import Row, rows_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from denizen.elf.mapped_segments import Memory
    from denizen.elf.strings import StringTable

_NEED = {order: Struct(order + "HHIII") for order in "<>"}
_NEEDED_VERSION = {order: Struct(order + "IHHII") for order in "<>"}
_DEFINITION = {order: Struct(order + "HHHHIII") for order in "<>"}
_NAME = {order: Struct(order + "II") for order in "<>"}
# Bytes of a Verneed, and of a Vernaux.
_RECORD_SIZE = 16
# Bytes of the smallest record of any of the lists, a Verdaux.
_SMALLEST_ENTRY = 8
MAX_RECORDS = 8192


class NeededVersion(Row):
    """A version that symbols of this object need; `number` is its index in DT_VERSYM."""

    name: bytes
    hash: int
    weak: bool
    number: int


class VersionNeed(Row):
    """The versions needed of one library, named by its soname at link time."""

    file: bytes
    versions: tuple[NeededVersion, ...]


class NeedRecord(Row):
    """A Verneed as it lies in the file, for those who change it.

    `offset` is its file offset and `end` the one behind the last of its versions, `file` the offset of the
    library's name in the string table, and `versions` are the fields of each Vernaux.
    """

    offset: int
    end: int
    file: int
    versions: tuple[tuple[int, ...], ...]

    @property
    def names(self) -> tuple[int, ...]:
        """The offsets of the versions' names in the string table."""
        return tuple([name for _, _, _, name, _ in self.versions])

    @property
    def numbers(self) -> tuple[int, ...]:
        """The versions' indices in DT_VERSYM."""
        return tuple([number & c.VERSYM_VERSION for _, _, number, _, _ in self.versions])


class VersionDefinition(Row):
    """A version this object defines; the base definition is named after the object itself."""

    name: bytes
    hash: int
    number: int
    base: bool
    weak: bool
    parents: tuple[bytes, ...]


class _Table:
    """A version table in the file, and the number of records that may still be read from it.

    Its end is not recorded anywhere, and it may be at the start of 100 MB: records are read in place.
    """

    def __init__(self, memory: Memory, address: int, structure: str) -> None:
        self._start, self._size = memory.locate(address, structure)
        self._memory = memory
        self._address = address
        self._left = min(MAX_RECORDS, self._size // _SMALLEST_ENTRY + 1)
        self.structure = structure

    @property
    def start(self) -> int:
        """The table's file offset."""
        return self._start

    def chain(self, layout: Struct, offset: int) -> list[tuple[int, ...]]:
        """Return the records of a list; the last field of each is the distance to the next."""
        last, unpack, buffer = self._size - layout.size, layout.unpack_from, self._memory.buffer
        records: list[tuple[int, ...]] = []
        while True:
            if offset > last:
                raise Malformed(self.structure, "a record outside the mapped file", self._address + offset)
            self._left -= 1
            if self._left < 0:
                raise Malformed(self.structure, "too many records, or they overlap", self._address)
            fields = unpack(buffer, self._start + offset)
            records.append(fields)
            if not fields[-1]:
                return records
            offset += fields[-1]


def parse_needs(memory: Memory, values: dict[int, int], strings: StringTable) -> tuple[VersionNeed, ...]:
    """Return DT_VERNEED's list in order. Raises Malformed."""
    address = values.get(c.DT_VERNEED)
    if address is None:
        return ()
    table = _Table(memory, address, "version needs")
    layout, name_at = _NEEDED_VERSION[memory.order], strings.at

    def wanted(offset: int) -> tuple[NeededVersion, ...]:
        rows = [
            (name_at(name), code, flags & c.VER_FLG_WEAK != 0, number & c.VERSYM_VERSION)
            for code, flags, number, name, _ in table.chain(layout, offset)
        ]
        return tuple(rows_of(NeededVersion, rows))

    rows, offset = [], 0
    for _, count, file, first, distance in table.chain(_NEED[memory.order], 0):
        rows.append((name_at(file), wanted(offset + first) if count else ()))
        offset += distance
    return tuple(rows_of(VersionNeed, rows))


def parse_definitions(
    memory: Memory, values: dict[int, int], strings: StringTable
) -> tuple[VersionDefinition, ...]:
    """Return DT_VERDEF's list in order. Raises Malformed."""
    address = values.get(c.DT_VERDEF)
    if address is None:
        return ()
    table = _Table(memory, address, "version definitions")
    rows, at = [], 0
    for _, flags, index, count, code, first, distance in table.chain(_DEFINITION[memory.order], 0):
        chain = table.chain(_NAME[memory.order], at + first) if count else []
        name, *parents = [strings.at(where) for where, _ in chain] or [b""]
        base, weak = flags & c.VER_FLG_BASE != 0, flags & c.VER_FLG_WEAK != 0
        rows.append((name, code, index & c.VERSYM_VERSION, base, weak, tuple(parents)))
        at += distance
    return tuple(rows_of(VersionDefinition, rows))


def need_records(memory: Memory, values: dict[int, int]) -> tuple[NeedRecord, ...]:
    """Return the records of DT_VERNEED's list in order, without their names looked up. Raises Malformed."""
    address = values.get(c.DT_VERNEED)
    if address is None:
        return ()
    table = _Table(memory, address, "version needs")
    rows, offset = [], 0
    for _, count, file, first, distance in table.chain(_NEED[memory.order], 0):
        found = table.chain(_NEEDED_VERSION[memory.order], offset + first) if count else []
        # Each record says how far the next one is.
        last = first + sum([one[-1] for one in found]) if found else 0
        start = table.start + offset
        rows.append((start, start + last + _RECORD_SIZE, file, tuple(found)))
        offset += distance
    return tuple(rows_of(NeedRecord, rows))


def definition_names(memory: Memory, values: dict[int, int]) -> tuple[int, ...]:
    """Return the offsets of all names in DT_VERDEF's list. Raises Malformed."""
    address = values.get(c.DT_VERDEF)
    if address is None:
        return ()
    table = _Table(memory, address, "version definitions")
    names: list[int] = []
    at = 0
    for _, _, _, count, _, first, distance in table.chain(_DEFINITION[memory.order], 0):
        names += [name for name, _ in (table.chain(_NAME[memory.order], at + first) if count else [])]
        at += distance
    return tuple(names)


class Versions:
    """The version tables of one object, parsed at first use."""

    def __init__(self, memory: Memory, values: dict[int, int], strings: StringTable) -> None:
        self._source = (memory, values, strings)

    @once
    def needs(self) -> tuple[VersionNeed, ...]:
        """The versions needed (DT_VERNEED). Raises Malformed."""
        return parse_needs(*self._source)

    @once
    def need_records(self) -> tuple[NeedRecord, ...]:
        """The records of DT_VERNEED as they lie in the file. Raises Malformed."""
        memory, values, _ = self._source
        return need_records(memory, values)

    @once
    def definitions(self) -> tuple[VersionDefinition, ...]:
        """The versions defined (DT_VERDEF). Raises Malformed."""
        return parse_definitions(*self._source)

    @once
    def by_index(self) -> dict[int, tuple[bytes, bytes | None]]:
        """(version, soname it is needed from or None) by the index that DT_VERSYM uses.

        As in glibc's _dl_check_map_versions a definition wins over a need with the same index. The base
        definition is left out: no reference can ask for it by name.
        """
        table: dict[int, tuple[bytes, bytes | None]] = {
            wanted.number: (wanted.name, need.file) for need in self.needs for wanted in need.versions
        }
        table.update((d.number, (d.name, None)) for d in self.definitions if not d.base)
        return table


def version_key(name: bytes) -> tuple[tuple[bool, int, bytes], ...]:
    """Return a sort key for version names, in which numbers compare as numbers."""
    parts = name.replace(b"_", b".").split(b".")
    # Base 16 keeps the order of decimal digits, and Python limits only decimal numbers to 4300 digits.
    return tuple((part.isdigit(), int(part, 16) if part.isdigit() else 0, part) for part in parts)


def needed_versions(names: Iterable[bytes]) -> str | None:
    """Return the newest GLIBC_x.y among version names, as "x.y"; None for none."""
    found = [name for name in names if name.startswith(b"GLIBC_") and name[6:7].isdigit()]
    return display(max(found, key=version_key)[6:]) if found else None
