"""`denizen relocate`: its words, what it tells, and its status."""

import json
from pathlib import Path

import pytest

from denizen.cli.dispatch import dispatch

PREFIXES = ["--from", "/opt/app/", "--to", "/home/somebody/app"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "script").write_text("#!/opt/app/bin/sh\n")
    (tmp_path / "data").write_bytes(b"\0/opt/app/share\0")
    return tmp_path


def test_what_is_left_is_listed_and_is_the_status(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(["relocate", str(tree), *PREFIXES]) == 1
    shown = capsys.readouterr().out
    assert "data: left at 0x1: " in shown
    assert "1 of 2 files changed (text 1)" in shown
    assert "1 mention in 1 file left" in shown
    assert (tree / "script").read_text() == "#!/home/somebody/app/bin/sh\n"


def test_a_short_link_helps_where_the_path_does_not_fit(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dispatch(["--json", "relocate", str(tree), *PREFIXES, "--link", "/o"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["changed"][0] == {
        "path": "data", "ways": ["link"], "places": 1, "left": [], "remarks": [],
    }  # fmt: skip
    assert (tree / "data").read_bytes() == b"\0/o///////share\0"


def test_the_plan_shows_every_file_and_writes_nothing(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(["relocate", str(tree), *PREFIXES, "--plan"]) == 1
    assert "script: text, 1 place" in capsys.readouterr().out
    assert (tree / "script").read_text() == "#!/opt/app/bin/sh\n"


def test_an_empty_word_is_not_the_working_directory(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tree)
    assert dispatch(["relocate", "", *PREFIXES]) == 2
    assert "TREE is an empty word" in capsys.readouterr().err
    assert (tree / "script").read_text() == "#!/opt/app/bin/sh\n"


@pytest.mark.parametrize("words", [["--from", "/opt"], ["--to", "/opt"], []])
def test_both_paths_are_wanted(tree: Path, words: list[str]) -> None:
    assert dispatch(["relocate", str(tree), *words]) == 2
