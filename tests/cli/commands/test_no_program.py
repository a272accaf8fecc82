"""What is no program: every command that takes one says what the file is instead, and writes nothing."""

import os
import shlex
import struct
from pathlib import Path

import pytest

from denizen.cli.dispatch import dispatch

_X86_64 = 62
_HEADER = b"\x7fELF\2\1\1" + bytes(9)
_OBJECT_FILE = _HEADER + struct.pack("<HHIQQQIHHHHHH", 1, _X86_64, 1, 0, 0, 0, 0, 64, 56, 0, 64, 0, 0)
_FILES = {
    "it is an object file": _OBJECT_FILE,
    "it is an archive of object files": b"!<arch>\n",
    "it is text whose first line names no interpreter": b"words\n",
    "it is empty": b"",
    "it is damaged": b"\x7fELF",
    "it is not a Linux program: gzip": b"\x1f\x8b\x08\0",
}
_COMMANDS = (
    ("lock", "-o", "out"),
    ("bundle", "-o", "out"),
    ("sbom", "-o", "out"),
    ("export", "--tar", "out"),
)


@pytest.mark.parametrize("command", _COMMANDS, ids=lambda words: words[0])
@pytest.mark.parametrize("reason", _FILES)
def test_a_file_that_is_no_program_is_refused_by_what_it_is(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    reason: str,
    command: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_bytes(_FILES[reason])
    (tmp_path / "file").chmod(0o755)
    assert dispatch(["--root", str(tmp_path / "root"), *command, "--offline", "./file"]) == 125
    told = capsys.readouterr().err
    assert reason in told
    assert "file" in told.splitlines()[0]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", [("run",), ("why",), *_COMMANDS], ids=lambda words: words[0])
def test_a_mistyped_path_is_told_with_the_name_beside_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "program").write_bytes(b"#!/bin/sh\n")
    (tmp_path / "program").chmod(0o755)
    status = dispatch(["--root", str(tmp_path / "root"), *command, str(tmp_path / "progam")])
    assert status == 127
    right = shlex.quote(str(tmp_path / "program"))
    remedy = f"did you mean {right}?" if len(command) > 1 else f" {command[0]} {right}"
    assert remedy in capsys.readouterr().err


@pytest.mark.parametrize("command", _COMMANDS, ids=lambda words: words[0])
def test_a_command_that_is_nowhere_is_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert dispatch(["--root", str(tmp_path / "root"), *command, "no-such-command"]) == 127
    assert "there is no program no-such-command" in capsys.readouterr().err


def test_an_object_file_is_no_program_that_any_strategy_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.o"
    path.write_bytes(_OBJECT_FILE)
    os.chmod(path, 0o755)
    assert dispatch(["--root", str(tmp_path / "root"), "why", "--offline", str(path)]) == 1
    told = capsys.readouterr().out
    assert "is an object file" in told
    assert "download it again" not in told
    assert "namespace" not in told
