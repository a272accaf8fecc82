"""Symbol lookup by name through the hash tables, by ld.so's rules (pure).

Specification: gABI "Hash Table"; glibc elf/dl-lookup.c, do_lookup_x and check_match; sysdeps/generic/
dl-hash.h for the functions.

    GNU    h = 5381; h = 33 * h + byte     words: hash with its low bit marking a chain's end
    SysV   buckets[] then chains[], each chain a list of symbol indices ended by 0

A program of 60 libraries refers to some 3,000 names out of 45,000 that are defined. Looking these up
takes 6 ms; reading all 45,000 names to put them in sets takes 40.

Limits: tables must be mapped from the file; no chain is followed beyond MAX_CHAIN symbols. A file can lay
all its symbols in one chain, which each lookup walks: n names would cost n². Once the walks of an object have
passed its whole table _WALKS times, an index of the table is made, and every further lookup asks that.
"""

from __future__ import annotations

from bisect import bisect_left
from struct import Struct

from denizen.elf import constants as c
from denizen.elf.hashtables import MAX_CHAIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.elf.mapped_segments import Code, Memory
    from denizen.elf.strings import StringTable

# Values of st_info that check_match accepts; it also checks visibility and st_value.
_FINDABLE = frozenset([binding << 4 | kind for binding in c.FINDABLE_BINDINGS for kind in c.FINDABLE_TYPES])

_SYMBOL = {64: "IBBHQQ", 32: "IIIBBH"}
# A well made table is passed once or twice when all that it holds is looked up.
_WALKS = 4
# Names are told apart in the index by so many bytes; a thousand long ones could overlap in the string table.
_KEY = 64
_WORD = 0xFFFFFFFF
_SEED = 5381
# The GNU hash is a number in base 33 with the bytes as digits, and `int` parses digits at 8 ns each where
# a loop takes 60. A byte is up to 255, so it is split into two digits: one number is parsed from the low
# digits of all bytes, one from the high digits.
_BASE = 33
_LOW = (b"0123456789abcdefghijklmnopqrstuvw" * 8)[:256]
_HIGH = b"".join([b"%d" % high * _BASE for high in range(8)])[:256]
# Parsing takes time quadratic in the length, so only names of at most this many bytes are hashed so.
_LONGEST = 256
_SEEDS = [_SEED]
for _ in range(_LONGEST):
    _SEEDS.append(_SEEDS[-1] * _BASE & _WORD)


def gnu_hash(name: bytes) -> int:
    """Return the hash of `name` that DT_GNU_HASH uses."""
    if 0 < len(name) <= _LONGEST:
        high = int(name.translate(_HIGH), _BASE)
        return _SEEDS[len(name)] + int(name.translate(_LOW), _BASE) + high * _BASE & _WORD
    code = _SEED
    for byte in name:
        code = (code * _BASE + byte) & _WORD
    return code


def sysv_hash(name: bytes) -> int:
    """Return the hash of `name` that DT_HASH uses."""
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
        self._names = strings.place
        self._table = table
        self._unpack = Struct(memory.order + _SYMBOL[memory.bits]).unpack_from
        self._wide = memory.bits == 64
        self._count = count
        self._bucket_count = 0
        self._first = 0
        self._buckets = self._chains = memoryview(b"")
        self._walked = 0
        self._chain_index: _ChainIndex | None = None
        self._name_index: dict[bytes, list[int]] | None = None
        self._is_gnu = c.DT_GNU_HASH in values
        if self._is_gnu:
            self._read_gnu(memory, values[c.DT_GNU_HASH])
        elif c.DT_HASH in values:
            self._read_sysv(memory, values[c.DT_HASH])

    def find(self, name: bytes, code: int) -> list[int]:
        """Return the indices of the definitions of `name` that check_match accepts; `code` is its gnu_hash.

        The version is not looked at.
        """
        return self.find_each([(name, code)])[0]

    def find_each(self, wanted: Sequence[tuple[bytes, int]]) -> list[list[int]]:
        """Return the results of `find` for many (name, gnu_hash) pairs, at half the cost."""
        if not self._is_gnu:
            return [self._defined(name, self._sysv_chain(name)) for name, _ in wanted]
        # The bloom filter is not used: nearly every name looked up is found, and chains are short.
        chains, buckets, first, count = self._chains, self._buckets, self._first, self._bucket_count
        size, defined = len(chains), self._defined
        found: list[list[int]] = []
        walked = self._walked
        for name, code in wanted:
            same = []
            start = at = buckets[code % count] - first if count else -1
            end = min(at + MAX_CHAIN, size)
            if walked > size * _WALKS and at >= 0:
                same = [place + first for place in self._by_chain().places(code, at, end)]
                start = at = end
            while 0 <= at < end:
                word = chains[at]
                if word ^ code < 2:
                    same.append(at + first)
                if word & 1:
                    break
                at += 1
            walked += at - start
            found.append(defined(name, same) if same else same)
        self._walked = walked
        return found

    def _defined(self, name: bytes, indices: list[int]) -> list[int]:
        """Return the indices of the symbols among `indices` that define the name."""
        names, first, end = self._names
        found = []
        for index in indices:
            if self._wide:
                at, info, other, section, value, _ = self._unpack(self._table, index * 24)
            else:
                at, value, _, info, other, section = self._unpack(self._table, index * 16)
            start, stop = first + at, first + at + len(name)
            if (
                section != 0
                and info in _FINDABLE
                and other & 3 in c.VISIBLE
                and (value != 0 or section == c.SHN_ABS or info & 15 == c.STT_TLS)
                and stop < end
                and names[start:stop] == name
                and not names[stop]
            ):
                found.append(index)
        return found

    def hashes(self) -> list[int]:
        """Return the gnu_hash of every definition, without its low bit; [] where there is no GNU table."""
        return self._chains.tolist() if self._is_gnu else []

    def _by_chain(self) -> _ChainIndex:
        if self._chain_index is None:
            self._chain_index = _ChainIndex(self._chains)
        return self._chain_index

    def _by_name(self) -> dict[bytes, list[int]]:
        """Return the symbols of the table by the beginning of their names."""
        if self._name_index is None:
            names, first, end = self._names
            size = 24 if self._wide else 16
            self._name_index = {}
            for index in range(1, min(self._count, len(self._chains))):
                start = first + self._unpack(self._table, index * size)[0]
                key = bytes(names[start : min(start + _KEY, end)]).partition(b"\0")[0]
                self._name_index.setdefault(key, []).append(index)
        return self._name_index

    def _sysv_chain(self, name: bytes) -> list[int]:
        """Return the symbols that may define the name: those of its chain, or those of the index."""
        if self._walked > len(self._chains) * _WALKS:
            return self._by_name().get(name[:_KEY], [])[:MAX_CHAIN]
        found: list[int] = []
        at = self._buckets[sysv_hash(name) % len(self._buckets)] if self._buckets else 0
        while 0 < at < self._count and at < len(self._chains) and len(found) < MAX_CHAIN:
            found.append(at)
            at = self._chains[at]
        self._walked += len(found)
        return found

    def _read_gnu(self, memory: Memory, table: int) -> None:
        structure = "GNU hash table"
        buckets, self._first, blooms, _ = memory.numbers("I", memory.view(table, 16, structure))
        chained = self._count - self._first
        if not buckets or chained <= 0:
            return
        start = table + 16 + blooms * (memory.bits // 8)
        self._bucket_count = buckets
        self._buckets = memory.numbers("I", memory.view(start, 4 * buckets, structure))
        self._chains = memory.numbers("I", memory.view(start + 4 * buckets, 4 * chained, structure))

    def _read_sysv(self, memory: Memory, table: int) -> None:
        wide = (memory.bits, memory.machine) in c.WIDE_HASH
        code: Code = "Q" if wide else "I"
        size = 8 if wide else 4
        buckets, chains = memory.numbers(code, memory.view(table, 2 * size, "hash table"))
        words = memory.numbers(code, memory.view(table + 2 * size, (buckets + chains) * size, "hash table"))
        self._buckets, self._chains = words[:buckets], words[buckets:]


class _ChainIndex:
    """The words of a GNU hash table's chains by hash, for chains that are long or run into each other."""

    def __init__(self, chains: memoryview) -> None:
        self._places: dict[int, list[int]] = {}
        self._ends: list[int] = []
        for place, word in enumerate(chains):
            self._places.setdefault(word | 1, []).append(place)
            if word & 1:
                self._ends.append(place)

    def places(self, code: int, start: int, stop: int) -> list[int]:
        """Return where the hash stands in the chain that begins at `start`, before `stop`."""
        number = bisect_left(self._ends, start)
        if number < len(self._ends):
            stop = min(stop, self._ends[number] + 1)
        places = self._places.get(code | 1, [])
        return places[bisect_left(places, start) : bisect_left(places, stop)]
