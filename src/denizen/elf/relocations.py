"""The symbols that relocations refer to (pure).

Specification: gABI "Relocation". Only the symbol index of each entry is read: it distinguishes the
references that ld.so will look up from those merely listed in the symbol table.

    Elf32_Rel  offset:4 info:4 [addend:4]    symbol = info >> 8
    Elf64_Rel  offset:8 info:8 [addend:8]    symbol = info >> 32
    64-bit MIPS: the first four bytes of info are the symbol in either byte order

DT_RELR holds relative relocations only, which have no symbols. Android's packed form (DT_ANDROID_REL)
is not read: no glibc or musl linker applies it.

Limits: tables must be mapped from the file, so their entries are bounded by its size.
"""

from __future__ import annotations

from denizen.elf import constants as c
from denizen.elf.cached_property import once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.elf.mapped_segments import Memory


class Relocations:
    """The symbol indices in relocations, by table; 0 (no symbol) is left out."""

    def __init__(self, memory: Memory, values: dict[int, int]) -> None:
        self._memory = memory
        self._values = values

    @once
    def data(self) -> frozenset[int]:
        """Indices of symbols in DT_RELA and DT_REL: looked up before the program starts. Raises Malformed."""
        return self._of(c.DT_RELA, c.DT_RELASZ, addend=True) | self._of(c.DT_REL, c.DT_RELSZ, addend=False)

    @once
    def plt(self) -> frozenset[int]:
        """Indices of symbols in DT_JMPREL: looked up at the first call, or before the start with BIND_NOW.

        Raises Malformed.
        """
        addend = self._values.get(c.DT_PLTREL) == c.DT_RELA
        return self._of(c.DT_JMPREL, c.DT_PLTRELSZ, addend=addend)

    def _of(self, table: int, size: int, *, addend: bool) -> frozenset[int]:
        address, length = self._values.get(table), self._values.get(size, 0)
        if address is None or not length:
            return frozenset()
        memory = self._memory
        words = (3 if addend else 2) * memory.bits // 32
        data = memory.view(address, length - length % (4 * words), "relocations")
        column = memory.numbers("I", data)[self._symbol_word() :: words].tolist()
        symbols = {info >> 8 for info in column} if memory.bits == 32 else set(column)
        return frozenset(symbols - {0})

    def _symbol_word(self) -> int:
        """Return which four-byte word of an entry holds the symbol index."""
        if self._memory.bits == 32:
            return 1
        return 3 if self._memory.little and self._memory.machine != c.EM_MIPS else 2
