import json
from pathlib import Path

import pytest

from denizen.cli.dispatch import dispatch

FILE = (
    b'Derive([("out","/nix/store/x","sha256","00ff")],[("/nix/store/a.drv",["dev","out"])],["/nix/store/s"],'
    b'"builtin","builtin:fetch",["-c"],[("name","caf\xc3\xa9"),("raw","\xff\x1b[31m")])'
)


@pytest.fixture
def drv(tmp_path: Path) -> Path:
    path = tmp_path / "x.drv"
    path.write_bytes(FILE)
    return path


def test_showing_a_derivation_gives_its_parts_safely(drv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(["derivation", "show", str(drv)]) == 0
    shown = capsys.readouterr().out
    assert "output  out  /nix/store/x  sha256:00ff" in shown
    assert "input   /nix/store/a.drv  dev out" in shown
    assert "builder builtin:fetch -c" in shown
    assert "name = caf\N{LATIN SMALL LETTER E WITH ACUTE}" in shown
    assert "\x1b" not in shown


def test_its_json_has_the_documented_fields(drv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(["derivation", "show", "--json", str(drv)]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "outputs": {"out": {"path": "/nix/store/x", "hashAlgo": "sha256", "hash": "00ff"}},
        "inputDrvs": {"/nix/store/a.drv": ["dev", "out"]},
        "inputSrcs": ["/nix/store/s"],
        "system": "builtin",
        "builder": "builtin:fetch",
        "args": ["-c"],
        "env": {"name": "caf\N{LATIN SMALL LETTER E WITH ACUTE}", "raw": "\\xff\x1b[31m"},
    }


def test_what_is_no_derivation_is_said_to_be_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.drv").write_bytes(FILE[:-1])
    assert dispatch(["derivation", "show", str(tmp_path / "x.drv")]) == 125
    assert "malformed at byte" in capsys.readouterr().err
    assert dispatch(["derivation", "show", str(tmp_path / "missing")]) == 125
    assert "cannot be read" in capsys.readouterr().err
