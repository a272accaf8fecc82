"""How a command ends that did not end by itself."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from denizen.cli import dispatch as dispatching
from denizen.cli import main
from denizen.errors import DenizenError
from tests.support.seccomp import CLONE, CLONE3, refusing, under_filter


class _Refused(DenizenError):
    WHAT = "the archive is refused"


@pytest.mark.parametrize(
    "lack",
    [
        MemoryError(),
        OSError(errno.ENOMEM, os.strerror(errno.ENOMEM), "/usr/lib"),
        ImportError("/usr/lib/mmap.so: failed to map segment from shared object"),
    ],
)
@pytest.mark.parametrize("where", ["_dispatch", "_error_of"])
def test_a_lack_of_memory_is_no_defect(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], lack: Exception, where: str
) -> None:
    """Also where there is none for the words of another error."""

    def exhausted(*_: object) -> int:
        raise lack

    def failed(*_: object) -> int:
        raise KeyError

    monkeypatch.setattr(dispatching, "_dispatch", failed)
    monkeypatch.setattr(dispatching, where, exhausted)
    assert dispatching.dispatch(["list"]) == 125
    told = capfd.readouterr().err
    assert told.startswith("denizen: there is not enough memory for this\n")
    assert "defect" not in told
    with pytest.raises(KeyError if where == "_error_of" else type(lack)):
        dispatching.dispatch(["--debug", "list"])


def test_a_lack_of_memory_while_modules_are_imported_is_told(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def exhausted(*_: object) -> int:
        raise MemoryError

    monkeypatch.setattr(main, "_dispatch", exhausted)
    monkeypatch.setattr(sys, "argv", ["denizen", "list"])
    assert main.main() == 125
    assert capfd.readouterr().err.startswith("denizen: there is not enough memory for this\n")


@pytest.mark.parametrize(
    "error", ["SystemError('error return without exception set')", "LookupError('idna')"]
)
@pytest.mark.parametrize(("room", "told"), [(4, "not enough memory"), (64, "a defect")])
def test_what_python_makes_of_a_lack_of_memory_is_no_defect(error: str, room: int, told: str) -> None:
    script = (
        "import re, resource, sys\n"
        "from denizen.app import process_limits\n"
        "from denizen.cli import dispatch\n"
        "def fail(*_):\n"
        "    pages = int(open('/proc/self/statm').read().split()[0])\n"
        f"    limit = pages * resource.getpagesize() + ({room} << 20)\n"
        "    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))\n"
        f"    raise {error}\n"
        "dispatch._dispatch = fail\n"
        "sys.exit(dispatch.dispatch(['list']))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 125
    assert told in done.stderr


def test_an_error_of_ours_that_a_lack_of_memory_led_to_has_its_own_words(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def exhausted(*_: object) -> int:
        raise _Refused from MemoryError()

    monkeypatch.setattr(dispatching, "_dispatch", exhausted)
    assert dispatching.dispatch(["list"]) == 125
    assert capfd.readouterr().err == "denizen: the archive is refused\n"


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


def test_the_programs_words_are_no_options_of_denizens(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["run", "/nowhere/app", "--debug"], ["run", "--", "/nowhere/app", "--debug"]):
        assert dispatching.dispatch(words) == 127
        assert "denizen: cannot start /nowhere/app" in capsys.readouterr().err
    with pytest.raises(DenizenError):
        dispatching.dispatch(["run", "--debug", "/nowhere/app"])
    with pytest.raises(DenizenError):
        dispatching.dispatch(["why", "/nowhere/app", "--debug"])


@pytest.mark.parametrize(
    "words",
    [
        ["run", "--suite", "sid", "--help"],
        ["run", "--strategy", "host", "--help", "/nowhere/app"],
        ["run", "--lock", "--help"],
        ["--root", "/nowhere", "run", "-h"],
    ],
)
def test_help_is_shown_behind_an_option_with_a_value(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert dispatching.dispatch(words) == 0
    assert capsys.readouterr().out.startswith("usage: denizen run [options] PROGRAM")


def test_options_of_every_command_may_stand_between_its_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = str(tmp_path / "root")
    for words in (["--json", "--root", root, "list"], ["--root", root, "list", "--json"]):
        assert dispatching.dispatch(["fhs", *words]) == 0
        assert capsys.readouterr().out == "[]\n"
    assert dispatching.dispatch(["fhs", "--root", root, "lst"]) == 2
    told = capsys.readouterr().err
    assert "there is no command 'fhs lst'\n  try: denizen fhs list" in told
    assert dispatching.dispatch(["fhs", "--help"]) == 0
    assert capsys.readouterr().out.startswith("usage: denizen fhs COMMAND")


@pytest.mark.parametrize(
    "words",
    [
        ["--root", "", "list"],
        ["gc", "--max-freed", ""],
        ["loader", "status", "--prefix", ""],
        ["system", "list", "--target", ""],
        ["store", "add", ""],
        ["lock", ""],
    ],
)
def test_a_variable_that_is_not_set_does_not_mean_another_place(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert dispatching.dispatch(words) == 2
    assert "is an empty word" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["\N{SUPERSCRIPT TWO}", "\N{ARABIC-INDIC DIGIT THREE}", "9" * 5000, "-1"])
@pytest.mark.parametrize(
    "words",
    [
        ["gc", "--max-freed"],
        ["install", "app", "--priority"],
        ["store", "create", "--length"],
        ["bundle", "/bin/sh", "--level"],
        ["profile", "switch"],
        ["fhs", "rollback", "app", "--to"],
        ["search", "app", "--limit-rate"],
        ["build", "--cores"],
    ],
)
def test_what_is_no_number_is_told(words: list[str], number: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        dispatching.dispatch(
            [*words[:-1], f"{words[-1]}={number}"] if words[-1][0] == "-" else [*words, "--", number]
        )
        == 2
    )
    told = capsys.readouterr().err
    assert "defect" not in told
    assert "try: " in told


@pytest.mark.parametrize("words", [["--help"], ["instal"], ["remove", "nothing-here"]])
def test_a_reader_of_result_and_errors_that_has_gone_ends_it_as_a_closed_pipe_does(words: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "denizen", *words]
    done = subprocess.run(command, stdout=writing, stderr=writing, check=False)
    os.close(writing)
    assert done.returncode == 141
