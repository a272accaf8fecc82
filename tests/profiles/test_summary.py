import pytest

from denizen.formats.storepath import StorePath
from denizen.profiles.profile_manifest import ElementPart
from denizen.profiles.summary import SummaryRow, read_summary, summary_row, write_summary
from denizen.value import replace
from tests.support.profile_elements import element

PATH = StorePath("0" * 32, "x")


def test_rows_are_read_as_they_were_written() -> None:
    some = [
        element("zip", ElementPart(PATH), version="1:2~rc"),
        replace(element("a b"), pinned=True, priority=4),
    ]
    assert read_summary(write_summary(some)) == [summary_row(one) for one in some]
    assert read_summary(write_summary(some))[1] == SummaryRow("a b", "1", "debian/trixie", 10, 4, True)


def test_a_name_cannot_break_a_line() -> None:
    hostile = element("x\ty\nz", version="1\t2")
    (row,) = read_summary(write_summary([hostile]))
    assert (row.name, row.version) == ("x y z", "1 2")


def test_lines_that_are_none_are_left_out() -> None:
    assert read_summary(b"\xff\n\n\t\t\t\t\t\na\tb\tc\t-1\t5\t0\n" + b"\t" * 99) == []


@pytest.mark.parametrize("number", ["", "-1", "x", "²", "9" * 5000])
@pytest.mark.parametrize("column", range(3, 6))
def test_a_line_whose_numbers_are_none_is_left_out(number: str, column: int) -> None:
    fields = ["a", "1", "d", "9", "5", "1"]
    line = "\t".join([*fields[:column], number, *fields[column + 1 :]])
    rows = read_summary(f"{line}\nb\t1\td\t9\t5\t0\n".encode())
    assert rows[-1] == SummaryRow("b", "1", "d", 9, 5, False)
    # Many digits say of a column that is compared alone only that it is not 1.
    assert rows[:-1] == ([SummaryRow("a", "1", "d", 9, 5, False)] if column == 5 and len(number) > 9 else [])
