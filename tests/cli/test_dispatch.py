"""How a command ends that did not end by itself."""

import os
import subprocess
import sys

import pytest

from denizen.cli import dispatch as dispatching
from tests.support.seccomp import CLONE, CLONE3, refusing, under_filter


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


def test_a_host_that_starts_no_thread_is_no_defect() -> None:
    """In Python's own words, under a filter that is older than clone3."""
    script = (
        "import sys, threading\n"
        "from denizen.cli import dispatch\n"
        "dispatch._dispatch = lambda *_: threading.Thread(target=print).start()\n"
        "sys.exit(dispatch.dispatch(['list']))\n"
    )
    command = under_filter(refusing(CLONE, CLONE3), [sys.executable, "-c", script])
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 125
    assert "this host starts no further thread" in done.stderr
    assert "defect" not in done.stderr


@pytest.mark.parametrize("words", [["--help"], ["instal"], ["remove", "nothing-here"]])
def test_a_reader_of_result_and_errors_that_has_gone_ends_it_as_a_closed_pipe_does(words: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "denizen", *words]
    done = subprocess.run(command, stdout=writing, stderr=writing, check=False)
    os.close(writing)
    assert done.returncode == 141
