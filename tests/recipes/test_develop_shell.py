"""The shell of `denizen build --shell PHASE`, at a terminal, by this machine's bash alone."""

import re
from pathlib import Path

import pytest

import denizen
from denizen.recipes.phases import PHASES
from tests.recipes.test_builder import BUILDER, SAYING
from tests.support.peers import require
from tests.support.terminals import TerminalEnd, at_terminal

SCRIPT = Path(denizen.__file__).parent / "recipes/develop_shell.bash"
PROMPT = "(thing-1) "


def shell(directory: Path, phase: str, *lines: str, **variables: str) -> TerminalEnd:
    require("bash")
    given = {
        "PATH": "/usr/bin:/bin",
        "TERM": "dumb",
        "NIX_BUILD_TOP": str(directory / "build"),
        "NIX_BUILD_CORES": "1",
        "genericBuilder": str(BUILDER),
        "developDirectory": str(directory),
        "developHome": str(directory),
        "developPhase": phase,
        "out": str(directory / "out"),
        "debug": str(directory / "debug"),
        "name": "thing-1",
        "kind": "plain",
        "phases": " ".join(PHASES),
        "doCheck": "1",
    }
    command = ["bash", "--rcfile", str(SCRIPT), "-i"]
    return at_terminal(command, PROMPT, lines, {**given, **variables})


def ran(shown: str) -> list[str]:
    return [line.removeprefix("phase ") for line in shown.splitlines() if line.startswith("phase ")]


@pytest.mark.parametrize("phase", PHASES)
def test_the_phases_ahead_are_run_and_those_that_are_typed(tmp_path: Path, phase: str) -> None:
    done = shell(tmp_path, phase, f"run_phase {phase}", "exit 7", **SAYING)
    assert ran(done.shown) == list(PHASES[: PHASES.index(phase) + 1])
    assert done.status == 7


def test_variables_and_the_directory_of_the_phases_are_the_shells(tmp_path: Path) -> None:
    phases = {**SAYING, "unpackPhase": "mkdir source; cd source; word=kept"}
    done = shell(tmp_path, "build", "echo $word in ${PWD##*/}", "exit", **phases)
    assert "\nkept in source\n" in done.shown


# Each fails, and would print "went on" if it did.
FAILING = {
    "a command": "false; echo went on",
    "a function": "made() { false; echo went on; }; made; echo went on",
    "a pipe": "false | cat; echo went on",
    "a subshell": "(exit 3); echo went on",
    "a loop": "for one in 1 2; do false; echo went on; done; echo went on",
}


@pytest.mark.parametrize("text", FAILING.values(), ids=FAILING)
def test_a_phase_that_fails_is_the_last_and_leaves_the_shell(tmp_path: Path, text: str) -> None:
    phases = {**SAYING, "configurePhase": text, "postConfigure": "echo went on"}
    done = shell(tmp_path, "install", "run_phase configure", "echo status=$?; false", "exit 3", **phases)
    assert ran(done.shown) == ["unpack", "patch", "configure", "configure"]
    assert "denizen: the phase configure has failed" in done.shown
    assert "\nwent on" not in done.shown
    assert re.search(r"\nstatus=[13]\n", done.shown)
    assert done.status == 3


def test_what_may_fail_in_a_phase_may_fail_in_its_shell(tmp_path: Path) -> None:
    text = (
        'if false; then :; fi; false || echo one; said=$(false; echo two); echo "$said"; ! true; echo three'
    )
    done = shell(tmp_path, "build", "exit", **{**SAYING, "configurePhase": text})
    assert "\none\ntwo\nthree\n" in done.shown
    assert ran(done.shown) == ["unpack", "patch", "configure"]
    assert "has failed" not in done.shown


def test_what_an_earlier_shell_left_is_kept_beside(tmp_path: Path) -> None:
    for number in (1, 2):
        shell(tmp_path, "patch", f'echo {number} > file; mkdir "$out"; exit', **SAYING)
    assert (tmp_path / "build/file").read_text() == "2\n"
    assert (tmp_path / "build.old/file").read_text() == "1\n"
    assert (tmp_path / "out.old").is_dir()
