import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.elf import Dynamic, Malformed, constants, read
from denizen.elf.strings import BATCH, BUDGET_FLOOR, StringTable
from tests.support.elf_builder import Elf, build, replace

FORMS = [(64, True), (64, False), (32, True), (32, False)]
NAME = st.binary(min_size=1, max_size=20).filter(lambda name: b"\0" not in name)


def dynamic_of(elf: Elf) -> Dynamic:
    found = read(build(elf)).dynamic
    assert found is not None
    return found


@given(
    form=st.sampled_from(FORMS),
    needed=st.lists(NAME, max_size=4),
    soname=st.none() | NAME,
    rpath=st.none() | NAME,
    runpath=st.none() | NAME,
)
def test_what_is_written_is_read_back(
    form: tuple[int, bool],
    needed: list[bytes],
    soname: bytes | None,
    rpath: bytes | None,
    runpath: bytes | None,
) -> None:
    elf = Elf(bits=form[0], little=form[1], needed=tuple(needed), soname=soname, rpath=rpath, runpath=runpath)
    found = dynamic_of(elf)
    assert (found.needed, found.soname, found.rpath, found.runpath) == (tuple(needed), soname, rpath, runpath)


def test_filters_and_auditors_are_read_by_name() -> None:
    names = (
        (constants.DT_FILTER, b"f1"),
        (constants.DT_FILTER, b"f2"),
        (constants.DT_AUXILIARY, b"aux"),
        (constants.DT_AUDIT, b"audit"),
        (constants.DT_DEPAUDIT, b"dep"),
    )
    found = dynamic_of(Elf(names=names))
    assert (found.filter, found.auxiliary) == ((b"f1", b"f2"), (b"aux",))
    assert (found.audit, found.depaudit) == (b"audit", b"dep")


@pytest.mark.parametrize(
    ("elf", "words"),
    [
        (Elf(), (False, False, False)),
        (Elf(flags=constants.DF_SYMBOLIC), (True, False, False)),
        (Elf(tags=((constants.DT_SYMBOLIC, 0),)), (True, False, False)),
        (Elf(flags=constants.DF_BIND_NOW), (False, True, False)),
        (Elf(flags_1=constants.DF_1_NOW), (False, True, False)),
        (Elf(tags=((constants.DT_BIND_NOW, 0),)), (False, True, False)),
        (Elf(flags=constants.DF_TEXTREL), (False, False, True)),
        (Elf(tags=((constants.DT_TEXTREL, 0),)), (False, False, True)),
    ],
)
def test_a_property_may_be_said_by_flag_or_by_tag(elf: Elf, words: tuple[bool, bool, bool]) -> None:
    found = dynamic_of(elf)
    assert (found.symbolic, found.bind_now, found.text_relocations) == words


def test_the_last_entry_of_a_tag_counts() -> None:
    found = dynamic_of(Elf(tags=((0x1234, 1), (0x1234, 2))))
    assert (found.value(0x1234), found.value(0x4321)) == (2, None)
    assert found.entries[-2:] == ((0x1234, 1), (0x1234, 2))


def test_the_section_ends_with_its_null_entry() -> None:
    found = dynamic_of(Elf(tags=((constants.DT_NULL, 0), (0x1234, 1))))
    assert found.value(0x1234) is None


@pytest.mark.parametrize("tags", [((constants.DT_NEEDED, 0x7000),), ((constants.DT_STRTAB, 0x99000000),)])
def test_names_outside_their_table_are_malformed(tags: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(Malformed):
        dynamic_of(Elf(needed=(b"liba.so",), tags=tags))


def test_a_section_that_is_not_mapped_is_malformed() -> None:
    file = bytearray(build(replace(Elf(), stack=None)))
    struct.pack_into("<Q", file, 64 + 16, 0x99000000)  # p_vaddr of the first segment, PT_DYNAMIC
    with pytest.raises(Malformed):
        _ = read(bytes(file)).dynamic


def test_a_table_without_end_ends_its_last_name() -> None:
    assert StringTable(b"\0abc").at(1) == b"abc"
    assert StringTable(b"\0abc\0def\0").column([5, 2, 0]) == [b"def", b"bc", b""]


@pytest.mark.parametrize("offset", [0, 5])
def test_an_empty_table_has_no_names(offset: int) -> None:
    with pytest.raises(Malformed):
        StringTable(b"").at(offset)


def test_names_that_overlap_beyond_measure_are_refused() -> None:
    table = StringTable(b"x" * BUDGET_FLOOR)
    with pytest.raises(Malformed):
        table.column(list(range(BATCH * 2)))
