import struct

import pytest

from denizen.elf import Malformed, constants, read
from denizen.elf.hashtables import MAX_CHAIN
from tests.support.elf_builder import Elf, Symbol, build

SYMBOLS = (Symbol(b"u", defined=False), Symbol(b"f"), Symbol(b"g"))


@pytest.mark.parametrize("machine", [constants.EM_S390, constants.EM_ALPHA])
def test_words_of_eight_bytes_are_read_where_the_architecture_has_them(machine: int) -> None:
    wide = struct.pack("<QQ", 1, 4)
    elf = Elf(machine=machine, symbols=SYMBOLS, hashes=(), raw=((constants.DT_HASH, wide),))
    assert read(build(elf)).symbols.count == 4


def test_mips_tells_the_count_itself() -> None:
    elf = Elf(machine=constants.EM_MIPS, symbols=SYMBOLS, hashes=(), tags=((constants.DT_MIPS_SYMTABNO, 3),))
    assert read(build(elf)).symbols.count == 3


def test_without_any_table_the_symbols_end_where_the_next_table_begins() -> None:
    symbols = read(build(Elf(symbols=SYMBOLS, hashes=()))).symbols
    assert symbols.names == [b"", b"u", b"f", b"g"]
    assert symbols.defined_names == frozenset()


def test_lookups_cannot_find_what_the_gnu_table_leaves_out() -> None:
    symbols = read(build(Elf(symbols=SYMBOLS))).symbols
    assert (symbols.count, symbols.first_findable) == (4, 2)


def test_no_symbol_table_means_no_symbols() -> None:
    elf = Elf(type=constants.ET_EXEC, dynamic=False)
    assert len(read(build(elf)).symbols) == 0


def test_a_chain_without_end_is_malformed() -> None:
    table = struct.pack("<IIIIQI", 1, 1, 1, 0, 0, 1) + bytes(4 * (MAX_CHAIN + 8))
    with pytest.raises(Malformed):
        _ = read(build(Elf(symbols=SYMBOLS, raw=((constants.DT_GNU_HASH, table),)))).symbols


def test_a_count_beyond_the_file_is_malformed() -> None:
    table = struct.pack("<II", 1, 0x7FFFFFFF)
    with pytest.raises(Malformed):
        _ = read(build(Elf(symbols=SYMBOLS, hashes=(), raw=((constants.DT_HASH, table),)))).symbols


@pytest.mark.parametrize(("little", "expected"), [(True, {0x04030201}), (False, {0x01020304})])
def test_mips_relocations_hold_the_symbol_in_the_first_word(expected: set[int], *, little: bool) -> None:
    entry = bytes(8) + bytes([1, 2, 3, 4, 9, 9, 9, 9])
    elf = Elf(
        machine=constants.EM_MIPS,
        little=little,
        raw=((constants.DT_REL, entry),),
        tags=((constants.DT_RELSZ, 16),),
    )
    assert read(build(elf)).symbols.relocations.data == expected
