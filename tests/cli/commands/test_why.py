"""The command from outside: words, statuses, JSON, drawing; on this machine's own files."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from denizen.cli import isolated
from tests.support.glibc_systems import SYSTEM, program

# As a shell is told: a checkout may lie below a directory with a space.
PYTHON = shlex.quote(sys.executable)
INSTALLED = shlex.join([sys.executable, str(Path(sys.executable).with_name("denizen-python"))])
ISOLATED = shlex.join([sys.executable, "-I", isolated.__file__])


def denizen(*words: str, cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "denizen", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, **variables},
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small system on disk, with a program that lacks a library."""
    for name, entry in {**SYSTEM, b"/opt/app": program(b"libgone.so.1")}.items():
        path = tmp_path / os.fsdecode(name.lstrip(b"/"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(entry if isinstance(entry, bytes) else getattr(entry, "content", b""))
        path.chmod(0o755)
    return tmp_path


def test_json_is_one_document_with_the_contracts_fields() -> None:
    done = denizen("why", "--host", "--json", sys.executable)
    found = json.loads(done.stdout)
    assert done.stderr == ""
    contract = "program kind interpreter machine libraries missing_versions unresolved_symbols dlopen"
    assert {*contract.split(), "resolution", "strategy", "problems"} <= set(found)
    for library in found["libraries"]:
        assert {"soname", "path", "rule", "needed_by", "tried"} <= set(library)


def test_another_systems_root_is_looked_at_as_that_system_would(root: Path) -> None:
    done = denizen("why", "--host", "--sysroot", str(root), "--json", "/opt/app")
    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert [problem["code"] for problem in found["problems"]] == ["library-missing"]
    (missing,) = [library for library in found["libraries"] if library["path"] is None]
    assert {"path": "/lib/libgone.so.1", "rule": "default", "reason": "absent"} in missing["tried"]


def test_the_drawing_names_what_is_missing_and_where_it_was_looked_for(root: Path) -> None:
    done = denizen("why", "--host", "--sysroot", str(root), "/opt/app")
    assert "libgone.so.1  not found" in done.stdout
    assert "looked in ld.so.cache, the default directories" in done.stdout
    assert "It does not start here: 1 problem." in done.stdout
    assert "\x1b" not in done.stdout


def test_all_draws_every_place_that_was_tried(root: Path) -> None:
    done = denizen("why", "--host", "--all", "--sysroot", str(root), "/opt/app")
    assert "/lib/x86_64-linux-gnu/libgone.so.1  absent  (the default directories)" in done.stdout


def test_colour_comes_when_asked_for(root: Path) -> None:
    done = denizen("why", "--host", "--color", "always", "--sysroot", str(root), "/opt/app", NO_COLOR="")
    assert "\x1b[" in done.stdout


def test_a_directory_of_path_is_no_command(tmp_path: Path) -> None:
    (tmp_path / "a" / "tool").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "tool").symlink_to(sys.executable)
    path = f"{tmp_path}/a:{tmp_path}/b:{os.environ['PATH']}"
    done = denizen("why", "--host", "--json", "tool", cwd=tmp_path, PATH=path)
    assert json.loads(done.stdout)["program"] == f"{tmp_path}/b/tool"


def test_a_page_is_written_with_json_too_and_its_place_is_looked_at_first(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = denizen("why", "--host", "--json", "--html", str(page), sys.executable)
    assert json.loads(done.stdout)["starts"]
    assert sys.executable in page.read_text()
    done = denizen("why", "--host", "--html", str(tmp_path / "no" / "page.html"), sys.executable)
    assert (done.returncode, done.stdout) == (125, "")
    assert "there is no directory" in done.stderr


def test_the_page_holds_the_drawing(root: Path, tmp_path: Path) -> None:
    page = tmp_path / "why.html"
    denizen("why", "--host", "--sysroot", str(root), "--html", str(page), "/opt/app")
    assert "libgone.so.1" in page.read_text()


def test_a_command_is_found_in_path() -> None:
    found = json.loads(denizen("why", "--host", "--json", "sh").stdout)
    assert found["program"].endswith("/sh")
    assert found["starts"]


@pytest.mark.parametrize(
    ("words", "status", "words_in_error"),
    [
        (["why", "--host", "/no/such/program"], 127, "No such file or directory"),
        (["why", "--host", "no-such-command"], 127, "no such command in PATH"),
        (["why", "--host"], 2, "PROGRAM is missing"),
        (["why", "--hots", "sh"], 2, "did you mean --host?"),
        (["wyh", "sh"], 2, "denizen why"),
        (["why", "--host", "--sysroot", "/no/such/root", "/bin/sh"], 127, "No such file or directory"),
    ],
)
def test_a_wrong_request_says_what_and_what_to_do(words: list[str], status: int, words_in_error: str) -> None:
    done = denizen(*words)
    assert (done.returncode, done.stdout) == (status, "")
    assert words_in_error in done.stderr


def test_a_directory_and_an_empty_file_are_no_crash(tmp_path: Path) -> None:
    assert "is a directory" in denizen("why", "--host", str(tmp_path)).stdout
    (tmp_path / "empty").touch(mode=0o755)
    assert "is empty" in denizen("why", "--host", "./empty", cwd=tmp_path).stdout


def test_a_fifo_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    done = denizen("why", "--host", str(tmp_path / "pipe"))
    assert "a device, a socket or a pipe" in done.stdout


def test_a_reader_that_goes_away_is_no_error() -> None:
    done = subprocess.run(
        ["sh", "-c", f"{PYTHON} -m denizen why --host --json {PYTHON} | head -c 1"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("{", "")


def test_the_program_is_never_executed(tmp_path: Path) -> None:
    """A program whose interpreter would leave a trace: ldd runs it, why does not."""
    trace = tmp_path / "trace"
    interpreter = tmp_path / "interpreter"
    interpreter.write_text(f"#!/bin/sh\ntouch {trace}\n")
    interpreter.chmod(0o755)
    victim = tmp_path / "victim"
    victim.write_bytes(program(interpreter=os.fsencode(interpreter)))
    victim.chmod(0o755)
    denizen("why", "--host", str(victim))
    assert not trace.exists()


def test_a_hostile_name_does_not_reach_the_terminal(tmp_path: Path) -> None:
    hostile = tmp_path / "evil\x1b[31m"
    hostile.write_bytes(program(b"lib\x1b]0;owned\x07.so"))
    hostile.chmod(0o755)
    done = denizen("why", "--host", str(hostile))
    assert "\x1b" not in done.stdout + done.stderr


def test_help_shows_arguments_options_and_statuses() -> None:
    text = denizen("why", "--help").stdout
    assert "usage: denizen why [options] PROGRAM" in text
    assert "--sysroot DIR" in text
    assert "Exit status 0" in text


@pytest.mark.parametrize("words", ["--version", "--help", "why --host sh", "why --host --json sh"])
def test_a_full_disk_under_the_result_is_an_error_in_words(words: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f"{PYTHON} -m denizen {words} > /dev/full"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.splitlines()[0]) == (125, "denizen: cannot write the result")


@pytest.mark.parametrize("words", ["--version", "--help", "why --host sh", "why --host --json sh"])
def test_a_closed_standard_output_under_the_result_is_an_error_in_words(words: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f"{PYTHON} -m denizen {words} >&-"], stderr=subprocess.PIPE, text=True, check=False
    )
    assert (done.returncode, done.stderr.splitlines()[:2]) == (
        125,
        ["denizen: cannot write the result", "  Bad file descriptor"],
    )


@pytest.mark.parametrize("start", [INSTALLED, ISOLATED], ids=["installed", "isolated"])
@pytest.mark.parametrize(("closed", "status"), [("2>&-", 0), ("1>&- 2>&-", 125)])
def test_a_closed_standard_stream_leaves_the_status_as_it_is(start: str, closed: str, status: int) -> None:
    assert subprocess.run(["sh", "-c", f"{start} --version {closed}"], check=False).returncode == status


def test_a_working_directory_that_was_removed_is_told_or_not_needed(tmp_path: Path) -> None:
    gone = shlex.quote(str(tmp_path / "gone"))
    command = f'mkdir {gone} && cd {gone} && rmdir ../gone && exec {PYTHON} -m denizen why "$1"'

    def why(name: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["sh", "-c", command, "sh", name], capture_output=True, text=True, check=False)

    assert why("/bin/true").returncode == 0
    refused = why("./app")
    assert refused.returncode == 125
    assert "the working directory is no longer there" in refused.stderr
