"""Commands that the base suite has not, and another configured suite has."""

import shutil
from pathlib import Path

import pytest

from tests.support.bare_programs import BareProgram
from tests.support.debs import Item
from tests.support.fhs_environments import FhsHome

pytestmark = pytest.mark.slow

_SHELL = """
#include <stdlib.h>
#include <sys/wait.h>
int main(int count, char **words) { return WEXITSTATUS(system(words[1])); }
"""


def _script(name: str) -> Item:
    return Item(f"./usr/bin/{name}", content=b"#!/bin/sh\necho ran\nexit 6\n", mode=0o755)


@pytest.fixture(params=[("bare root", "namespace"), ("container", "stub")], ids=["namespace", "stub"])
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[BareProgram, str]:
    """A host with a second source, which has packages of an older release."""
    host, strategy = request.param
    (tmp_path / "bare").mkdir()
    program = BareProgram(host, tmp_path / "bare", _SHELL, ("kept", [_script("kept")]))
    older = FhsHome(tmp_path)
    older.add("dropped", [_script("dropped"), _script("part-of-dropped")])
    shutil.copytree(older.debs, program.directories.programs / "older")
    where = ["/programs/older", "--directory", "--root", str(program.host.directories.root)]
    added = program.host.run([*program.host.python, "source", "add", "zz-older", *where])
    assert added.status == 0, added.err
    return program, strategy


def test_a_command_that_only_another_suite_has_comes_from_there(bare: tuple[BareProgram, str]) -> None:
    """`which` is a script: it sees the command, which comes when it is executed."""
    program, strategy = bare
    for _ in range(2):
        done = program.run(strategy, "command -v dropped && dropped")
        assert (done.status, done.out.splitlines()[1:]) == (6, ["ran"]), done.err
        assert program.run(strategy, "kept").status == 6


def test_what_no_package_is_about_is_not_sought_in_other_suites(bare: tuple[BareProgram, str]) -> None:
    """Their contents are large, and most names are nobody's."""
    program, strategy = bare
    assert program.run(strategy, "part-of-dropped").status == 127
