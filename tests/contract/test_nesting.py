"""Denizen inside a program of denizen's: a terminal or an IDE that was started by it, and so on below."""

import os
import subprocess
from collections.abc import Sequence

import pytest

from tests.support.offline_roots import DenizenHome

pytestmark = pytest.mark.slow

# Tells that it runs, starts what it is told, and ends as that does.
_PARENT = """
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
const char *greeting(void);
int main(int count, char **words) {
    int status;
    if (!greeting()) return 90;
    write(1, ".", 1);
    if (!fork()) { execvp(words[1], words + 1); _exit(99); }
    wait(&status);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
"""
_LAST = ("/bin/sh", "-c", "/bin/cat /proc/self/comm; exit 7")


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> tuple[DenizenHome, DenizenHome]:
    """Two homes with nothing in common: each has a place of its own for the host's linker."""
    return DenizenHome(tmp_path_factory.mktemp("one")), DenizenHome(tmp_path_factory.mktemp("other"))


def nested(homes: Sequence[DenizenHome], strategies: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run one program inside another, each by its strategy and in the next home; all are decided before."""
    words: list[str] = list(_LAST)
    for depth, strategy in reversed(list(enumerate(strategies))):
        home = homes[depth % len(homes)]
        program = home.work / f"parent-{depth}-{strategy}"
        if not program.exists():
            home.compile(program.name, f"{_PARENT}int number_{depth}_{strategy};")
            command = home.command("run", "--strategy", strategy, os.fspath(program), "/bin/true")
            assert subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0
        words = home.command("run", "--strategy", strategy, os.fspath(program), *words)
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize(
    "strategies",
    [
        ("namespace",) * 5, ("stub",) * 3, ("direct",) * 3,
        ("namespace", "stub", "direct", "namespace", "namespace"),
        ("direct", "namespace", "stub", "namespace", "direct"),
        ("stub", "direct", "namespace", "direct", "stub"),
    ],
    ids=lambda found: "-".join(one[0] for one in found),
)  # fmt: skip
@pytest.mark.parametrize("both", [False, True], ids=["one home", "two homes"])
def test_host_programs_run_at_every_depth(
    homes: tuple[DenizenHome, DenizenHome], strategies: tuple[str, ...], *, both: bool
) -> None:
    done = nested(homes if both else homes[:1], strategies)
    assert (done.returncode, done.stdout, done.stderr) == (7, "." * len(strategies) + "cat\n", "")
    assert done.stderr == ""


def test_a_program_decided_inside_another_starts_there_and_outside(
    homes: tuple[DenizenHome, DenizenHome],
) -> None:
    home = homes[0]
    outer = home.compile("outer", f"{_PARENT}int outer;")
    inner = home.compile("inner", f"{_PARENT}int inner;")
    run = home.command("run", os.fspath(outer), *home.command("run", os.fspath(inner), *_LAST))
    for words in run, home.command("run", os.fspath(inner), *_LAST):
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
        assert (done.returncode, done.stdout.lstrip("."), done.stderr) == (7, "cat\n", "")
