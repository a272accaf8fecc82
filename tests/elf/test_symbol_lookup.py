"""Lookups by name against the sets that whole columns give, over both hash tables."""

import sys
from array import array
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.elf import read
from denizen.elf.symbol_lookup import _ChainIndex, gnu_hash, sysv_hash
from tests.support.elf_builder import Elf, Symbol, build

NAMES = st.binary(min_size=1, max_size=40).filter(lambda name: b"\0" not in name)


def test_the_hash_functions_give_the_published_values() -> None:
    # The gABI's and the GNU extension's functions on names whose values are printed in many a tutorial.
    assert [gnu_hash(name) for name in (b"", b"printf", b"exit", b"syscall")] == [
        0x00001505, 0x156B2BB8, 0x7C967E3F, 0xBAC212A0,
    ]  # fmt: skip
    assert [sysv_hash(name) for name in (b"", b"printf", b"exit", b"syscall")] == [
        0x00000000, 0x077905A6, 0x0006CF04, 0x0B09985C,
    ]  # fmt: skip


@given(st.binary(max_size=600))
def test_a_long_name_hashes_like_a_short_one(name: bytes) -> None:
    code = 5381
    for byte in name:
        code = (code * 33 + byte) & 0xFFFFFFFF
    assert gnu_hash(name) == code


@given(
    st.frozensets(NAMES, max_size=30),
    st.frozensets(NAMES, max_size=5),
    st.sampled_from([32, 64]),
    st.sampled_from(["gnu", "sysv"]),
)
def test_a_lookup_finds_what_is_defined_and_nothing_else(
    defined: frozenset[bytes], others: frozenset[bytes], bits: int, table: str
) -> None:
    symbols = tuple(Symbol(name) for name in sorted(defined))
    machine = 62 if bits == 64 else 3
    image = read(build(Elf(bits=bits, machine=machine, symbols=symbols, hashes=(table,))))
    lookup = image.symbols.lookup
    found = {name: [image.symbols.names[i] for i in lookup.find(name, gnu_hash(name))] for name in defined}
    assert found == {name: [name] for name in defined}
    assert not [name for name in others - defined if list(lookup.find(name, gnu_hash(name)))]


@pytest.mark.parametrize("table", ["gnu", "sysv"])
def test_lookups_in_one_long_chain_do_not_walk_it_each_time(table: str) -> None:
    # The builder lays all symbols in one bucket, as a hostile file may: 3,000 lookups walked 4,500,000 words.
    names = [b"symbol%04d" % number for number in range(3_000)]
    symbols = tuple([Symbol(name) for name in names] + [Symbol(b"hidden", defined=False)])
    lookup = read(build(Elf(symbols=symbols, hashes=(table,)))).symbols.lookup
    lines = _lines_run(lambda: [lookup.find(name, gnu_hash(name)) for name in names])
    assert lines < 400_000
    assert [len(lookup.find(name, gnu_hash(name))) for name in names] == [1] * len(names)
    assert not lookup.find(b"hidden", gnu_hash(b"hidden"))
    assert not lookup.find(b"symbol", gnu_hash(b"symbol"))


@given(st.lists(st.integers(0, 40), max_size=60), st.integers(0, 60), st.integers(0, 40))
def test_the_index_of_chains_gives_what_a_walk_gives(words: list[int], start: int, code: int) -> None:
    chains = memoryview(array("I", words))
    walked = []
    for place in range(start, len(words)):
        if words[place] ^ code < 2:
            walked.append(place)
        if words[place] & 1:
            break
    assert _ChainIndex(chains).places(code, start, len(words)) == walked


def _lines_run(run: Callable[[], object]) -> int:
    """Return how many lines of Python `run` executes: a count that no machine changes."""
    lines = 0

    def count(_frame: FrameType, event: str, _argument: object) -> Callable[[FrameType, str, object], Any]:
        nonlocal lines
        lines += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        run()
    finally:
        sys.settrace(before)
    return lines
