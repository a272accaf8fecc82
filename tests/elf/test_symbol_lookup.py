"""Lookups by name against the sets that whole columns give, over both hash tables."""

from hypothesis import given
from hypothesis import strategies as st

from denizen.elf import read
from denizen.elf.symbol_lookup import gnu_hash, sysv_hash
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
