import pytest

from denizen.elf import Malformed, Undefined, constants, read
from denizen.elf.image import Image
from tests.support.elf_builder import Elf, Symbol, build, replace

PUTS = Symbol(b"puts", defined=False, version=b"GLIBC_2.2.5", file=b"libc.so.6")
OPTIONAL = Symbol(b"optional", defined=False, binding=constants.STB_WEAK)
PLAIN = Symbol(b"plain", defined=False)
OLD = Symbol(b"f", version=b"V1", hidden=True)
NEW = Symbol(b"f", version=b"V2")
BARE = Symbol(b"g", binding=constants.STB_WEAK)
FORMS = [(64, True), (64, False), (32, True), (32, False)]
IDS = ["64-little", "64-big", "32-little", "32-big"]


@pytest.fixture(params=FORMS, ids=IDS)
def elf(request: pytest.FixtureRequest) -> Elf:
    bits, little = request.param
    return Elf(bits=bits, little=little, soname=b"me.so", symbols=(PUTS, OPTIONAL, PLAIN, OLD, NEW, BARE))


@pytest.mark.parametrize("hashes", [("gnu",), ("sysv",), ("gnu", "sysv")])
def test_all_symbols_are_counted_by_either_hash_table(elf: Elf, hashes: tuple[str, ...]) -> None:
    symbols = read(build(replace(elf, hashes=hashes))).symbols
    assert symbols.count == len(symbols) == 7
    assert symbols.names == [b"", b"puts", b"optional", b"plain", b"f", b"f", b"g"]


def test_undefined_symbols_of_a_program_that_exports_nothing_are_counted(elf: Elf) -> None:
    symbols = read(build(replace(elf, symbols=(PUTS, OPTIONAL, PLAIN)))).symbols
    assert symbols.names == [b"", b"puts", b"optional", b"plain"]
    assert symbols.defined_names == frozenset()


def test_references_carry_their_version_and_the_file_it_is_needed_from(elf: Elf) -> None:
    expected = (
        Undefined(b"puts", b"GLIBC_2.2.5", b"libc.so.6", weak=False, index=1),
        Undefined(b"optional", None, None, weak=True, index=2),
        Undefined(b"plain", None, None, weak=False, index=3),
    )
    assert read(build(elf)).symbols.undefined == expected


def test_weak_references_need_no_definition(elf: Elf) -> None:
    assert read(build(elf)).symbols.undefined_names == {b"puts", b"plain"}


def test_exports_tell_version_and_whether_it_is_hidden(elf: Elf) -> None:
    exports = read(build(elf)).symbols.exports_of({b"f", b"g"})
    found = [(e.name, e.version, e.hidden, e.weak, e.version_index) for e in exports]
    expected = [(b"f", b"V1", True, False, 2), (b"f", b"V2", False, False, 3), (b"g", None, False, True, 1)]
    assert expected == found
    assert read(build(elf)).symbols.defined_versions == {(b"f", b"V1"), (b"f", b"V2"), (b"g", None)}


def test_exports_of_some_names_are_those_alone(elf: Elf) -> None:
    exports = read(build(elf)).symbols.exports_of({b"g", b"puts"})
    assert [export.name for export in exports] == [b"g"]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, True),
        ({"binding": constants.STB_LOCAL}, False),
        ({"binding": constants.STB_WEAK}, True),
        ({"binding": constants.STB_GNU_UNIQUE}, True),
        ({"type": 3}, False),
        ({"type": constants.STT_GNU_IFUNC}, True),
        ({"visibility": constants.STV_HIDDEN}, False),
        ({"visibility": constants.STV_PROTECTED}, True),
        ({"value": 0}, False),
        ({"value": 0, "type": constants.STT_TLS}, True),
        ({"value": 0, "section": constants.SHN_ABS}, True),
        ({"value": 1 << 31}, True),
    ],
)
def test_lookups_find_what_check_match_takes(elf: Elf, change: dict[str, int], *, found: bool) -> None:
    symbol = replace(Symbol(b"s"), **change)  # type: ignore[arg-type]  # all changed fields are int
    symbols = read(build(replace(elf, symbols=(symbol,)))).symbols
    assert (b"s" in symbols.defined_names) is found


def test_relocated_symbols_are_told_by_table(elf: Elf) -> None:
    symbols = read(build(replace(elf, relocated=(b"plain",), plt=(b"puts",)))).symbols
    assert symbols.relocations.data == {3}
    assert symbols.relocations.plt == {1}
    assert symbols.referenced_by_relocations() == {1, 3}
    assert symbols.referenced_by_relocations({2, 3}) == {3}


def test_columns_give_the_raw_fields(elf: Elf) -> None:
    symbols = read(build(elf)).symbols
    assert symbols.infos[4] == constants.STB_GLOBAL << 4 | constants.STT_FUNC
    assert list(symbols.sections) == [0, 0, 0, 0, 1, 1, 1]
    assert list(symbols.values) == [0, 0, 0, 0, 0x1000, 0x1000, 0x1000]
    assert symbols.version_indices is not None
    assert list(symbols.version_indices) == [0, 4, 1, 1, 0x8002, 3, 1]


def _with_tag(tag: int, value: int) -> Image:
    return read(build(Elf(symbols=(PUTS, BARE), tags=((tag, value),))))


@pytest.mark.parametrize("tag", [constants.DT_SYMTAB, constants.DT_GNU_HASH])
def test_a_table_outside_the_file_is_malformed(tag: int) -> None:
    with pytest.raises(Malformed):
        _ = _with_tag(tag, 0x7FFF0000).symbols.names


def test_a_name_outside_the_string_table_is_malformed() -> None:
    with pytest.raises(Malformed):
        _ = _with_tag(constants.DT_STRSZ, 1).symbols.names
