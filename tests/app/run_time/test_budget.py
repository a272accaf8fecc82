"""The file `budget` in the configuration."""

from pathlib import Path

import pytest

from denizen.app.run_time.budget import DEFAULT_BUDGET, BadBudget, budget_of
from denizen.app.session import Session
from tests.support.command_context import context_of


def _session(root: Path) -> Session:
    return context_of({}, str(root)).session


def _written(root: Path, text: bytes) -> Session:
    (root / "config").mkdir(mode=0o755)
    (root / "config" / "budget").write_bytes(text)
    return _session(root)


def test_without_a_file_it_is_the_usual_one(tmp_path: Path) -> None:
    assert budget_of(_session(tmp_path)) == DEFAULT_BUDGET


@pytest.mark.parametrize(("text", "budget"), [(b"0", 0), (b"250\n", 250), (b"\n 7 \r\n\n", 7)])
def test_a_number_is_taken(tmp_path: Path, text: bytes, budget: int) -> None:
    assert budget_of(_written(tmp_path, text)) == budget


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "line 1: it is empty"),
        (b"-1\n", "line 1: -1 is no number of megabytes"),
        (b"\n\n1.5", "line 3: 1.5 is no number of megabytes"),
        (b"100 MB # enough", "line 1: 100 MB # enough is no number of megabytes"),
        (b"\x1b[2J", "line 1: \\x1b[2J is no number of megabytes"),
        (b"9" * 5000, f"line 1: {'9' * 40} is no number of megabytes"),
        (b"50\n60\n", "line 2: one number is all that it may hold"),
    ],
)
def test_anything_else_is_told_with_its_line(tmp_path: Path, text: bytes, problem: str) -> None:
    with pytest.raises(BadBudget) as caught:
        budget_of(_written(tmp_path, text))
    assert (caught.value.path, caught.value.why) == (bytes(tmp_path / "config" / "budget"), problem)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir(mode=0o755)
    (tmp_path / "config" / "budget").mkdir()
    with pytest.raises(BadBudget, match="Is a directory"):
        budget_of(_session(tmp_path))
