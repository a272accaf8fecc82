import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.elf import Malformed, Segment, constants, read
from denizen.elf.header import Header
from denizen.elf.mapped_segments import PAGE, Memory, numbers
from tests.support.elf_builder import Elf, build

HEADER: Header = read(build(Elf())).header
FILE = bytes(range(256)) * 64  # four pages


def load(address: int, offset: int, size: int, memory_size: int | None = None) -> Segment:
    in_memory = size if memory_size is None else memory_size
    return Segment(constants.PT_LOAD, 4, offset, address, address, size, in_memory, PAGE)


def memory(*segments: Segment, file: bytes = FILE) -> Memory:
    return Memory(file, HEADER, segments)


def test_an_address_is_read_through_the_segment_that_maps_it() -> None:
    assert memory(load(0x10000, 0, PAGE)).read(0x10010, 4, "x") == FILE[16:20]


@pytest.mark.parametrize("address", [0x0, 0xFFFF, 0x11000, 1 << 64])
def test_an_address_outside_is_malformed(address: int) -> None:
    with pytest.raises(Malformed):
        memory(load(0x10000, 0, PAGE)).read(address, 1, "x")


def test_a_segment_brings_the_whole_pages_it_touches() -> None:
    mapped = memory(load(0x10100, 0x100, 16))
    assert mapped.read(0x10000, PAGE, "x") == FILE[:PAGE]


def test_zero_filled_memory_holds_no_tables() -> None:
    mapped = memory(load(0x10000, 0, 16, 0x100))
    assert mapped.read_to_end(0x10000, PAGE, "x") == FILE[:16]


def test_of_two_segments_on_a_page_the_later_wins() -> None:
    mapped = memory(load(0x10000, 0, PAGE + 16), load(0x11800, PAGE * 2 + 0x800, 16))
    assert mapped.read(0x11000, 4, "x") == FILE[PAGE * 2 : PAGE * 2 + 4]


def test_a_table_may_run_through_two_segments() -> None:
    mapped = memory(load(0x10000, 0, PAGE), load(0x11000, PAGE * 3, PAGE))
    assert mapped.read(0x10FFE, 4, "x") == FILE[PAGE - 2 : PAGE] + FILE[PAGE * 3 : PAGE * 3 + 2]


def test_a_table_may_run_through_segments_that_follow_in_the_file_too() -> None:
    mapped = memory(load(0x10000, 0, PAGE), load(0x11000, PAGE, PAGE))
    assert mapped.locate(0x10FFE, "x") == (PAGE - 2, PAGE + 2)


def test_a_mapping_ends_with_the_file() -> None:
    mapped = memory(load(0x10000, 0, PAGE * 9), file=FILE[:100])
    assert mapped.read_to_end(0x10000, PAGE, "x") == FILE[:100]
    with pytest.raises(Malformed):
        mapped.read(0x10000, 101, "x")


def test_a_segment_that_cannot_be_mapped_brings_nothing_around_it() -> None:
    mapped = memory(load(0x10100, 0, 16))
    assert mapped.read(0x10100, 16, "x") == FILE[:16]
    with pytest.raises(Malformed):
        mapped.read(0x10000, 1, "x")


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(0, 5), st.integers(0, PAGE * 2), st.integers(0, PAGE)),
        max_size=6,
    )
)
def test_extents_never_overlap_and_stay_in_the_file(rows: list[tuple[int, int, int, int]]) -> None:
    segments = [load(page * PAGE + into, at * PAGE + into, size) for page, at, size, into in rows]
    extents = memory(*segments)._extents
    assert all(before[1] <= after[0] for before, after in pairwise(extents))
    assert all(offset >= 0 and offset + end - start <= len(FILE) for start, end, offset in extents)


@given(st.lists(st.integers(0, 0xFFFFFFFF)))
def test_numbers_are_read_in_either_byte_order(values: list[int]) -> None:
    count = len(values)
    assert list(numbers("I", struct.pack(f"<{count}I", *values), little=True)) == values
    assert list(numbers("I", struct.pack(f">{count}I", *values), little=False)) == values
