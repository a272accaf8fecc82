import os
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.index.index_file import MAGIC, DamagedIndex, IndexFile, Writer

LINE = st.binary(max_size=12).filter(lambda line: b"\n" not in line)


def write(path: Path, lines: list[bytes]) -> bytes:
    with open(path, "wb") as stream:
        writer = Writer(stream)
        writer.section("before", [b"x"])
        writer.lines("l", lines)
        writer.finish()
    return bytes(path)


@given(st.lists(LINE, max_size=20))
def test_lines_come_back_by_number_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    file = IndexFile(write(tmp_path_factory.mktemp("index") / "x", lines))
    table = file.lines("l")
    assert [table[number] for number in range(len(table))] == lines
    assert list(table) == lines
    file.close()


@given(st.lists(LINE.filter(lambda line: b"\t" not in line), max_size=20, unique=True), LINE)
def test_a_line_is_found_by_its_first_column(
    tmp_path_factory: pytest.TempPathFactory, names: list[bytes], other: bytes
) -> None:
    lines = sorted(name + b"\t" + value for name in names for value in (b"1", b"2"))
    file = IndexFile(write(tmp_path_factory.mktemp("index") / "x", lines))
    table = file.lines("l")
    for name in names:
        assert [line for _, line in table.having(name)] == [name + b"\t1", name + b"\t2"]
    if other not in names:
        assert list(table.having(other)) == []
    file.close()


def test_a_number_that_is_no_lines_is_refused(tmp_path: Path) -> None:
    table = IndexFile(write(tmp_path / "x", [b"a"])).lines("l")
    for number in (-1, 1):
        with pytest.raises(DamagedIndex):
            table[number]


def test_a_missing_section_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DamagedIndex, match="no section y"):
        IndexFile(write(tmp_path / "x", [])).lines("y")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty"),
        (b"DNZ", "does not begin"),
        (b"X" * 100, "does not begin"),
        (MAGIC + struct.pack("<I", 9), "cut short"),
        (MAGIC + struct.pack("<I", 1 << 31), "cut short"),
        (MAGIC + struct.pack("<I16sQQ", 1, b"l", 0, 1 << 40), "after the file"),
    ],
)
def test_a_damaged_file_is_noticed_when_it_is_opened(tmp_path: Path, content: bytes, problem: str) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(DamagedIndex, match=problem):
        IndexFile(bytes(tmp_path / "x"))


def test_a_file_whose_end_is_lost_is_noticed_at_every_length(tmp_path: Path) -> None:
    whole = Path(os.fsdecode(write(tmp_path / "x", [b"one", b"two"]))).read_bytes()
    for length in range(1, len(whole)):
        (tmp_path / "y").write_bytes(whole[:length])
        with pytest.raises(DamagedIndex):
            IndexFile(bytes(tmp_path / "y"))
