"""How a command ends that did not end by itself."""

import os
import subprocess
import sys

import pytest

from denizen.cli import dispatch as dispatching


def test_a_lack_of_memory_is_no_defect(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def exhausted(*_: object) -> int:
        raise MemoryError

    monkeypatch.setattr(dispatching, "_dispatch", exhausted)
    assert dispatching.dispatch(["list"]) == 125
    told = capsys.readouterr().err
    assert "there is not enough memory" in told
    assert "defect" not in told
    with pytest.raises(MemoryError):
        dispatching.dispatch(["list", "--debug"])


@pytest.mark.parametrize("words", [["--help"], ["instal"], ["remove", "nothing-here"]])
def test_a_reader_of_result_and_errors_that_has_gone_ends_it_as_a_closed_pipe_does(words: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "denizen", *words]
    done = subprocess.run(command, stdout=writing, stderr=writing, check=False)
    os.close(writing)
    assert done.returncode == 141
