"""Definitions by name, through the hash tables as ld.so goes (pure).

Specification: gABI "Hash Table"; glibc elf/dl-lookup.c, do_lookup_x and check_match; sysdeps/generic/
dl-hash.h for the functions.

    GNU    h = 5381; h = 33 * h + byte     words: hash with its low bit marking a chain's end
    SysV   buckets[] then chains[], each chain a list of symbol indices ended by 0

A program of 60 libraries refers to some 3,000 names out of 45,000 that are defined. Looking these up
takes 6 ms; reading all 45,000 names to put them in sets takes 40.

Limits: tables must be mapped from the file; no chain is followed beyond MAX_CHAIN symbols.
"""

from __future__ import annotations

from struct import Struct

from denizen.elf import constants as c
from denizen.elf.hashtables import MAX_CHAIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.elf.memory import Code, Memory
    from denizen.elf.strings import StringTable

_BINDINGS = frozenset({c.STB_GLOBAL, c.STB_WEAK, c.STB_GNU_UNIQUE})
_TYPES = frozenset({c.STT_NOTYPE, c.STT_OBJECT, c.STT_FUNC, c.STT_COMMON, c.STT_TLS, c.STT_GNU_IFUNC})
# check_match takes these st_info; visibility decides besides, and a value where one is needed.
_FINDABLE = frozenset([binding << 4 | kind for binding in _BINDINGS for kind in _TYPES])
_VISIBLE = frozenset({c.STV_DEFAULT, c.STV_PROTECTED})

_SYMBOL = {64: "IBBHQQ", 32: "IIIBBH"}
_WORD = 0xFFFFFFFF
_SEED = 5381
# A byte is two digits to the base 33, and `int` reads digits at 8 ns each where a loop takes 60: one
# number of the low digits of all bytes, one of the high ones.
_BASE = 33
_LOW = (b"0123456789abcdefghijklmnopqrstuvw" * 8)[:256]
_HIGH = b"".join([b"%d" % high * _BASE for high in range(8)])[:256]
# Reading a number takes the square of its length: names up to this long are read so.
_LONGEST = 256
_SEEDS = [_SEED]
for _ in range(_LONGEST):
    _SEEDS.append(_SEEDS[-1] * _BASE & _WORD)


def gnu_hash(name: bytes) -> int:
    """The hash of DT_GNU_HASH."""
    if 0 < len(name) <= _LONGEST:
        high = int(name.translate(_HIGH), _BASE)
        return _SEEDS[len(name)] + int(name.translate(_LOW), _BASE) + high * _BASE & _WORD
    code = _SEED
    for byte in name:
        code = (code * _BASE + byte) & _WORD
    return code


def sysv_hash(name: bytes) -> int:
    """The hash of DT_HASH."""
    code = 0
    for byte in name:
        code = (code << 4) + byte
        high = code & 0xF0000000
        code = (code ^ (high >> 24)) & ~high & _WORD
    return code


class Lookup:
    """The definitions of one object by name.

    Raises:
        Malformed: a hash table is not wholly in the file.
    """

    def __init__(
        self, memory: Memory, values: dict[int, int], strings: StringTable, table: memoryview, count: int
    ) -> None:
        self._holds = strings.holds
        self._table = table
        self._symbol = Struct(memory.order + _SYMBOL[memory.bits]).unpack_from
        self._wide = memory.bits == 64
        self._count = count
        self._first = 0
        self._buckets = self._chains = memoryview(b"")
        self._is_gnu = c.DT_GNU_HASH in values
        if self._is_gnu:
            self._read_gnu(memory, values[c.DT_GNU_HASH])
        elif c.DT_HASH in values:
            self._read_sysv(memory, values[c.DT_HASH])

    def find(self, name: bytes, code: int) -> Sequence[int]:
        """Indices of the definitions of `name` that check_match would look at; `code` is its gnu_hash."""
        chain = self._gnu_chain(code) if self._is_gnu else self._sysv_chain(name)
        return [index for index in chain if index < self._count and self._is_definition(index, name)]

    def hashes(self) -> list[int]:
        """The gnu_hash of every definition but for its low bit; none where there is no GNU table."""
        return self._chains.tolist() if self._is_gnu else []

    def _gnu_chain(self, code: int) -> Sequence[int]:
        # The bloom filter is not asked: nearly every name looked up is here, and chains are short.
        chains = self._chains
        if not chains:
            return ()
        at = self._buckets[code % len(self._buckets)] - self._first
        if at < 0:
            return ()
        found = []
        for index, word in enumerate(chains[at : at + MAX_CHAIN], at + self._first):
            if word ^ code < 2:
                found.append(index)
            if word & 1:
                break
        return found

    def _sysv_chain(self, name: bytes) -> Iterator[int]:
        if not self._buckets:
            return
        at = self._buckets[sysv_hash(name) % len(self._buckets)]
        for _ in range(MAX_CHAIN):
            if not 0 < at < len(self._chains):
                return
            yield at
            at = self._chains[at]

    def _is_definition(self, index: int, name: bytes) -> bool:
        if self._wide:
            at, info, other, section, value, _ = self._symbol(self._table, index * 24)
        else:
            at, value, _, info, other, section = self._symbol(self._table, index * 16)
        return (
            section != 0
            and info in _FINDABLE
            and other & 3 in _VISIBLE
            and (value != 0 or section == c.SHN_ABS or info & 15 == c.STT_TLS)
            and self._holds(at, name)
        )

    def _read_gnu(self, memory: Memory, table: int) -> None:
        structure = "GNU hash table"
        buckets, self._first, blooms, _ = memory.numbers("I", memory.view(table, 16, structure))
        chained = self._count - self._first
        if not buckets or chained <= 0:
            return
        start = table + 16 + blooms * (memory.bits // 8)
        self._buckets = memory.numbers("I", memory.view(start, 4 * buckets, structure))
        self._chains = memory.numbers("I", memory.view(start + 4 * buckets, 4 * chained, structure))

    def _read_sysv(self, memory: Memory, table: int) -> None:
        wide = (memory.bits, memory.machine) in c.WIDE_HASH
        code: Code = "Q" if wide else "I"
        size = 8 if wide else 4
        buckets, chains = memory.numbers(code, memory.view(table, 2 * size, "hash table"))
        words = memory.numbers(code, memory.view(table + 2 * size, (buckets + chains) * size, "hash table"))
        self._buckets, self._chains = words[:buckets], words[buckets:]
