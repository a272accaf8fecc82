"""Starts where denizen's own directories are on a read-only file system (docs/decisions/0020)."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.bare_programs import BareProgram
from tests.support.hosts import HOSTS, Host

pytestmark = pytest.mark.slow

# Tells its capabilities, or executes another program.
_PROGRAM = """
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(int count, char **words) {
    char line[200];
    if (count > 1) return execv(words[1], words + 1), 115;
    for (FILE *status = fopen("/proc/self/status", "r"); fgets(line, sizeof line, status);)
        if (!strncmp(line, "CapEff", 6)) fputs(line, stdout);
    return 7;
}
"""
_NO_CAPABILITIES = f"CapEff:\t{0:016x}\n"


@pytest.fixture
def made(tmp_path: Path) -> BareProgram:
    made = BareProgram("bare root", tmp_path, _PROGRAM)
    shutil.copy(made.path_here, made.path_here.with_name("child"))
    return made


def _files(made: BareProgram) -> dict[str, int]:
    root = made.directories.root
    return {str(path.relative_to(root)): path.lstat().st_mtime_ns for path in root.rglob("*")}


def _read_only(host: Host, root: Path) -> Host:
    """Return a host like this one whose denizen's root is read-only."""

    def wrap(cwd: Path, env: Mapping[str, str], command: Sequence[str]) -> list[str]:
        words = host.wrap(cwd, env, command)
        at = words.index("--clearenv")
        return [*words[:at], "--remount-ro", str(root), *words[at:]]

    return replace(host, wrap=wrap)


@pytest.mark.parametrize("options", [(), ("--strategy", "direct"), ("--except", "namespace")], ids=" ".join)
def test_a_program_is_started_about_which_nothing_is_decided(
    made: BareProgram, options: Sequence[str]
) -> None:
    made.run("auto", program="child")  # the index, which is there then, is not told of
    before = _files(made)
    host = HOSTS["read-only store"](made.directories)
    done = host.run([*host.denizen("run", *options), made.path])
    assert (done.status, done.out, done.err) == (7, _NO_CAPABILITIES, "")
    assert _files(made) == before


@pytest.mark.parametrize("strategy", ["namespace", "stub", "direct"])
def test_so_is_a_child_of_a_program_that_is_decided(made: BareProgram, strategy: str) -> None:
    options = ("--strategy", strategy)
    assert made.run(strategy).status == 7
    before = _files(made)
    host = HOSTS["read-only store"](made.directories)
    child = str(Path(made.path).with_name("child"))
    done = host.run([*host.denizen("run", *options), made.path, child])
    assert (done.status, done.out, done.err) == (7, _NO_CAPABILITIES, "")
    assert _files(made) == before


def test_without_a_namespace_it_is_said_that_nothing_can_be_written(made: BareProgram) -> None:
    container = HOSTS["container"](made.directories)
    host = _read_only(container, container.directories.root)
    done = host.run([*host.denizen("run"), made.path])
    assert done.status == 125
    assert "could not be written\n  Read-only file system" in done.err
