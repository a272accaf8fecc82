"""The number of dynamic symbols, from the hash tables (pure).

Specification: gABI "Hash Table"; glibc elf/dl-lookup.c for DT_GNU_HASH. No dynamic tag holds the count. It
is taken from, in this order:

1. DT_GNU_HASH: nbuckets:4 symoffset:4 bloom_size:4 bloom_shift:4 bloom[]:w buckets[]:4 chains[]:4. The
   highest bucket's chain ends (low bit set) at the last symbol.
2. DT_HASH: nbucket nchain buckets[] chains[]; nchain is the count. Words of 4 bytes, but 8 on Alpha and
   64-bit s390.
3. DT_MIPS_SYMTABNO.
4. The space up to the next table. The GNU table is empty where nothing is exported, and does not count
   undefined symbols. Linkers place another table directly behind .dynsym: the entries between are counted
   as long as their names lie in the string table.

Limits: the last chain of the GNU table has at most 4,096 symbols.
"""

from __future__ import annotations

from struct import Struct

from denizen.elf import constants as c
from denizen.elf.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from denizen.elf.mapped_segments import Memory

SYMBOL_SIZE = {32: 16, 64: 24}
_HEAD = {order: Struct(order + "4I") for order in "<>"}
# Symbols in a chain; linkers aim at one or two. In a longer one each lookup would take 10 us.
MAX_CHAIN = 4096
_SHORT_CHAIN = 8
# Tags whose value is an address that may lie directly behind the symbols.
_ADDRESSES = (
    c.DT_STRTAB, c.DT_VERSYM, c.DT_GNU_HASH, c.DT_HASH, c.DT_RELA, c.DT_REL, c.DT_JMPREL,
    c.DT_VERNEED, c.DT_VERDEF,
)  # fmt: skip


def extent(memory: Memory, values: Mapping[int, int]) -> tuple[int, int]:
    """Return (number of dynamic symbols, index of the first that a lookup can find).

    Raises:
        Malformed: a table is not mapped, or its last chain has no end.
    """
    if c.DT_SYMTAB not in values:
        return 0, 0
    if (table := values.get(c.DT_GNU_HASH)) is not None and (found := _gnu(memory, table)):
        return found
    if (table := values.get(c.DT_HASH)) is not None:
        wide = (memory.bits, memory.machine) in c.WIDE_HASH
        head = memory.view(table, 16 if wide else 8, "hash table")
        return memory.numbers("Q" if wide else "I", head)[1], 1
    if c.DT_MIPS_SYMTABNO in values:
        return values[c.DT_MIPS_SYMTABNO], 1
    count = _until_next_table(memory, values)
    return count, count


def _gnu(memory: Memory, table: int) -> tuple[int, int] | None:
    """Return the extent by the GNU hash table; None where it holds no symbol."""
    structure = "GNU hash table"
    buckets, first, blooms, _ = _HEAD[memory.order].unpack(memory.view(table, 16, structure))
    at_buckets = table + 16 + blooms * (memory.bits // 8)
    if not buckets:
        return None
    last: int = max(memory.numbers("I", memory.view(at_buckets, 4 * buckets, structure)).tolist())
    if last < first or not last:
        return None
    return last + _chain_length(memory, at_buckets + 4 * (buckets + last - first)), first


def _chain_length(memory: Memory, address: int) -> int:
    """Return the number of words of a chain, up to the one with its low bit set."""
    # A chain has one symbol or two, and a longer one is rare.
    for most in (_SHORT_CHAIN, MAX_CHAIN):
        words = memory.view_to_end(address, 4 * most, "GNU hash table")
        for length, word in enumerate(memory.numbers("I", words[: len(words) & ~3]), start=1):
            if word & 1:
                return length
    raise Malformed("GNU hash table", "its last chain has no end", address)


def _until_next_table(memory: Memory, values: Mapping[int, int]) -> int:
    start, size = values[c.DT_SYMTAB], SYMBOL_SIZE[memory.bits]
    behind = [values[tag] for tag in _ADDRESSES if values.get(tag, 0) > start]
    if not behind:
        return 0
    room = memory.view_to_end(start, min(behind) - start, "dynamic symbol table")
    names = memory.numbers("I", room[: len(room) // size * size])[0 :: size // 4].tolist()
    limit = values.get(c.DT_STRSZ, 1 << 32)
    return next((index for index, name in enumerate(names) if name >= limit), len(names))
