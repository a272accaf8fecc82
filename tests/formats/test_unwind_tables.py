import random
import struct
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from denizen.elf import read
from denizen.elf.sections import section_headers, section_names
from denizen.formats.unwind_tables import restored, shortened
from tests.support.unwind_tables import MARK, unwind_tables


def test_functions_one_after_the_other_have_the_same_record_and_no_entry() -> None:
    short = shortened(unwind_tables([-160 + 16 * at for at in range(10)]))
    assert short is not None
    assert short[12:92] == bytes(80)
    records = [short[92 + 20 + 24 * at :][:24] for at in range(10)]
    assert set(records[1:]) == {struct.pack("<IIiIQ", 20, 1, 0, 16, 0)}


def test_the_reverse_sorts_what_is_in_another_order() -> None:
    starts = [16 * at for at in range(300)]
    random.Random(5).shuffle(starts)
    content = b"before" + unwind_tables(starts) + b"between" + unwind_tables([-16, 0]) + b"behind"
    short = shortened(content)
    assert short is not None
    assert short != content
    assert restored(short) == content


def test_a_table_that_does_not_follow_from_its_records_stays() -> None:
    content = unwind_tables([0, 16], entries=bytes(range(16)))
    short = shortened(content)
    assert short is not None
    assert short[12:28] == bytes(range(16))
    assert restored(short) == content


def test_an_empty_table_of_records_that_are_there_is_left_alone() -> None:
    """The reverse would fill it."""
    assert shortened(unwind_tables([0, 16], entries=bytes(16))) is None


def test_a_table_of_this_machines_libraries_is_shortened_as_a_whole() -> None:
    path = Path(sys.executable).resolve()
    content = path.read_bytes()
    short = shortened(content)
    assert short is not None
    assert restored(short) == content
    header = read(content).header
    names = section_names(content, header)
    rows = {names[row[0] : names.index(b"\0", row[0])]: row for row in section_headers(content, header)}
    row = rows.get(b".eh_frame_hdr")
    if row is not None and content[row[4] : row[4] + 4] == MARK and header.little:
        assert not any(short[row[4] + 12 : row[4] + row[5]])


_WORDS = st.sampled_from([0, 1, 4, 11, 12, 16, 20, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFC, 0xFFFFFFFF])
_PIECES = st.one_of(
    st.just(MARK),
    _WORDS.map(lambda number: number.to_bytes(4, "little")),
    st.lists(st.integers(-64, 64), max_size=4).map(unwind_tables),
    st.binary(max_size=9),
)


@given(st.lists(_PIECES, max_size=30).map(b"".join))
def test_any_bytes_come_back_or_are_not_shortened(content: bytes) -> None:
    short = shortened(content)
    assert short is None or (len(short) == len(content) and restored(short) == content)
