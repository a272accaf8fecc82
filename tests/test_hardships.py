"""docs/hardships.md names, for each trouble, a test that is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
_ROW = re.compile(r"\| (\d+) \| .* \| (tests/\S+\.py)::(\w+) \|")


def test_each_row_names_a_test_that_is_there() -> None:
    rows = [
        _ROW.fullmatch(line)
        for line in (ROOT / "docs/hardships.md").read_text(encoding="utf-8").splitlines()
        if re.match(r"\| \d", line)
    ]
    assert [row and int(row[1]) for row in rows] == list(range(1, 36))
    absent = [
        row
        for row in rows
        if row is None or f"\ndef test_{row[3]}(" not in (ROOT / row[2]).read_text(encoding="utf-8")
    ]
    assert absent == []
