"""The dynamic symbol table, read as columns (pure).

Specification: gABI "Symbol Table"; glibc elf/dl-lookup.c (do_lookup_x and check_match) for the symbols a
lookup finds; LSB "Symbol Versioning". The number of symbols is determined in hashtables.py.

    Elf32_Sym  name:4 value:4 size:4 info:1 other:1 shndx:2
    Elf64_Sym  name:4 info:1 other:1 shndx:2 value:8 size:8

Everything here works on whole columns. Binding a program of 70 libraries looks at 60,000 symbols within
milliseconds, so definitions and references are given as sets of names: subtract the union of all
`defined_names` from `undefined_names`, and look at single symbols only for the rest.

Limits: a count beyond the mapped file is refused; names share their string table's budget.
"""

from __future__ import annotations

from itertools import compress, repeat

from denizen.elf import constants as c
from denizen.elf.cached_property import once
from denizen.elf.hashtables import SYMBOL_SIZE, extent
from denizen.elf.symbol_lookup import Lookup
from denizen.value import Value, from_columns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from denizen.elf.mapped_segments import Code, Memory
    from denizen.elf.relocations import Relocations
    from denizen.elf.strings import StringTable
    from denizen.elf.versions import Versions

# Offsets within a symbol, by class.
_INFO = {32: 12, 64: 4}
_OTHER = {32: 13, 64: 5}
_SECTION = {32: 14, 64: 6}
_VALUE = {32: 4, 64: 8}

_EVERY = range(16)


def _only(byte: int) -> bytes:
    """Return a table for bytes.translate that maps one byte value to 1 and the others to 0."""
    return bytes(byte) + b"\1" + bytes(255 - byte)


def _where_info(bindings: Collection[int] = _EVERY, types: Collection[int] = _EVERY) -> bytes:
    """Return a table for bytes.translate that maps an st_info of these bindings and types to 1, others to 0.

    It is put together from 16 rows: 256 questions for each table are 0.1 ms of every start.
    """
    row = bytes([kind in types for kind in _EVERY])
    return b"".join([row if binding in bindings else bytes(16) for binding in _EVERY])


_SET = b"\0" + b"\1" * 255
_REFERENCE = _where_info([binding for binding in _EVERY if binding != c.STB_LOCAL])
_FINDABLE = _where_info(c.FINDABLE_BINDINGS, c.FINDABLE_TYPES)
_WEAK = _where_info((c.STB_WEAK,))
_TLS = _where_info(types=(c.STT_TLS,))
# The visibility is in the low two bits of st_other.
_VISIBLE = bytes([visibility in c.VISIBLE for visibility in range(4)]) * 64
_ABS_HIGH = _only(c.SHN_ABS >> 8)
_ABS_LOW = _only(c.SHN_ABS & 255)


class Undefined(Value):
    """A reference: some object must define `name`, in `version` where one is given.

    `version_file` is the soname of the library in which the version was found at link time.
    """

    name: bytes
    version: bytes | None
    version_file: bytes | None
    weak: bool
    index: int


class Export(Value):
    """A definition that lookups can find.

    `hidden` (VERSYM_HIDDEN): only references to its version find it. `version` is None where the
    object has no versions or the symbol belongs to none; `version_index` is 0 only without DT_VERSYM.
    """

    name: bytes
    version: bytes | None
    hidden: bool
    weak: bool
    index: int
    version_index: int


class Symbols:
    """Columns of the dynamic symbols, computed at first use; entry 0 is the gABI's null symbol."""

    def __init__(
        self, memory: Memory, values: dict[int, int], strings: StringTable, versions: Versions
    ) -> None:
        self._memory = memory
        self._values = values
        self._strings = strings
        self._versions = versions
        self.count, self.first_findable = extent(memory, values)
        self._size = SYMBOL_SIZE[memory.bits]
        self._view = memoryview(b"")
        if self.count:
            size = self.count * self._size
            self._view = memory.view(values[c.DT_SYMTAB], size, "dynamic symbol table")

    def __len__(self) -> int:
        return self.count

    @once
    def _table(self) -> bytes:
        """A copy of the table for columns; a lookup reads single symbols in the file instead."""
        return bytes(self._view)

    @once
    def name_offsets(self) -> list[int]:
        """The offset of every symbol's name in the string table."""
        return self._column("I", 0).tolist()

    @once
    def names(self) -> list[bytes]:
        """The name of every symbol."""
        return self._strings.column(self.name_offsets)

    @once
    def infos(self) -> bytes:
        """st_info of every symbol: binding << 4 | type."""
        return self._table[_INFO[self._memory.bits] :: self._size]

    @once
    def others(self) -> bytes:
        """st_other of every symbol; its low two bits are the visibility."""
        return self._table[_OTHER[self._memory.bits] :: self._size]

    @once
    def sections(self) -> memoryview:
        """st_shndx of every symbol."""
        return self._column("H", _SECTION[self._memory.bits])

    @once
    def values(self) -> memoryview:
        """st_value of every symbol."""
        return self._column("Q" if self._memory.bits == 64 else "I", _VALUE[self._memory.bits])

    @once
    def version_indices(self) -> memoryview | None:
        """DT_VERSYM's entry of every symbol, hidden bit included; None where there is no such table."""
        address = self._values.get(c.DT_VERSYM)
        if address is None or not self.count:
            return None
        return self._memory.numbers("H", self._memory.view(address, 2 * self.count, "symbol versions"))

    @once
    def defined_names(self) -> frozenset[bytes]:
        """Names of all definitions that lookups can find."""
        return frozenset(compress(self.names, self.is_findable))

    @once
    def undefined_names(self) -> frozenset[bytes]:
        """Names of all references that must be satisfied, the ones that are not weak."""
        strong = _both(self.is_undefined, _negated(self.infos.translate(_WEAK)))
        return frozenset(compress(self.names, strong))

    @once
    def strong_references(self) -> tuple[tuple[int, ...], list[bytes]]:
        """Indices and names of all references that are not weak; no other symbol's name is read."""
        strong = _both(self.is_undefined, _negated(self.infos.translate(_WEAK)))
        indices = tuple(compress(range(self.count), strong))
        return indices, self._strings.column(tuple(compress(self.name_offsets, strong)))

    @once
    def lookup(self) -> Lookup:
        """The lookup of definitions by name through the hash tables. Raises Malformed."""
        return Lookup(self._memory, self._values, self._strings, self._view, self.count)

    @once
    def defined_versions(self) -> frozenset[tuple[bytes, bytes | None]]:
        """(name, version) of all definitions that lookups can find, hidden ones included."""
        indices = self.version_indices
        versions: Iterable[bytes | None] = repeat(None)
        if indices:
            known = {index: version for index, (version, _) in self.version_table.items()}
            known |= {index | c.VERSYM_HIDDEN: version for index, version in known.items()}
            versions = map(known.get, indices.tolist())
        return frozenset(compress(zip(self.names, versions, strict=False), self.is_findable))

    @once
    def undefined(self) -> tuple[Undefined, ...]:
        """All references, in symbol order."""
        at = list(compress(range(self.count), self.is_undefined))
        pairs = [self.version_table.get(index, _NONE) for index in self._version_indices_at(at)]
        return tuple(
            from_columns(
                Undefined,
                map(self.names.__getitem__, at),
                (version for version, _ in pairs),
                (file for _, file in pairs),
                self._weak_at(at),
                at,
            )
        )

    def exports_of(self, names: Collection[bytes]) -> tuple[Export, ...]:
        """Return the definitions of these names that lookups can find; a set is the fastest way to pass many.

        There is no property for all definitions: it would make 60,000 objects where two sets suffice.
        """
        found = compress(enumerate(self.names), self.is_findable)
        return self._exports_at([index for index, name in found if name in names])

    @once
    def relocations(self) -> Relocations:
        """The symbols that relocations refer to. Raises Malformed."""
        from denizen.elf.relocations import Relocations  # 0.2 ms, only where a symbol is missing

        return Relocations(self._memory, self._values)

    def referenced_by_relocations(self, indices: Collection[int] | None = None) -> frozenset[int]:
        """Return the symbols that some relocation refers to: all of them, or those among `indices`."""
        referenced = self.relocations.data | self.relocations.plt
        return referenced if indices is None else referenced.intersection(indices)

    @once
    def version_table(self) -> dict[int, tuple[bytes, bytes | None]]:
        """(version, soname it is needed from or None) by version index; empty without DT_VERSYM."""
        return self._versions.by_index if self.version_indices else {}

    @once
    def is_undefined(self) -> bytes:
        """A column with 1 for each symbol that is a reference, weak ones included; for itertools.compress."""
        wanted = _both(self.infos.translate(_REFERENCE), self.others.translate(_VISIBLE))
        return _both(wanted, _negated(self._is_set(_SECTION, 2)))

    @once
    def is_findable(self) -> bytes:
        """A column with 1 for each symbol that check_match accepts.

        St_value may be 0 for SHN_ABS and TLS only.
        """
        bits = self._memory.bits
        has_value = _either(self._is_set(_VALUE, bits // 8), self.infos.translate(_TLS), self._is_absolute())
        named = _both(self.infos.translate(_FINDABLE), self.others.translate(_VISIBLE))
        hashed = bytes(min(self.first_findable, self.count)).ljust(self.count, b"\1")
        return _both(_both(named, self._is_set(_SECTION, 2)), _both(has_value, hashed))

    def _is_absolute(self) -> bytes:
        low, high = (0, 1) if self._memory.little else (1, 0)
        start = _SECTION[self._memory.bits]
        return _both(
            self._table[start + low :: self._size].translate(_ABS_LOW),
            self._table[start + high :: self._size].translate(_ABS_HIGH),
        )

    def _is_set(self, place: dict[int, int], width: int) -> bytes:
        """Return a column with 1 for each symbol with any bit set in the field at `place`."""
        start = place[self._memory.bits]
        return _either(*(self._table[start + byte :: self._size] for byte in range(width))).translate(_SET)

    def _column(self, code: Code, start: int) -> memoryview:
        numbers = self._memory.numbers(code, self._table)
        return numbers[start // numbers.itemsize :: self._size // numbers.itemsize]

    def _exports_at(self, at: list[int]) -> tuple[Export, ...]:
        raw = self.version_indices
        hidden = [raw[i] & c.VERSYM_HIDDEN != 0 for i in at] if raw else repeat(False, len(at))
        indices = self._version_indices_at(at)
        known = {index: version for index, (version, _) in self.version_table.items()}
        names = map(self.names.__getitem__, at)
        columns = (names, map(known.get, indices), hidden, self._weak_at(at), at, indices)
        return tuple(from_columns(Export, *columns))

    def _version_indices_at(self, at: list[int]) -> list[int]:
        """Return the version index of each of these symbols without the hidden bit; 0 without DT_VERSYM."""
        raw = self.version_indices
        return [raw[i] & c.VERSYM_VERSION for i in at] if raw else [0] * len(at)

    def _weak_at(self, at: list[int]) -> Iterable[bool]:
        return map(bool, map(self.infos.translate(_WEAK).__getitem__, at))


_NONE: tuple[None, None] = (None, None)


# Columns of equal length are combined bitwise as one large number each: 0.1 ns a symbol where a loop
# takes 50.
def _both(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left, "little") & int.from_bytes(right, "little")).to_bytes(len(left), "little")


def _either(first: bytes, *rest: bytes) -> bytes:
    union = int.from_bytes(first, "little")
    for column in rest:
        union |= int.from_bytes(column, "little")
    return union.to_bytes(len(first), "little")


def _negated(column: bytes) -> bytes:
    return column.translate(b"\1" + bytes(255))
