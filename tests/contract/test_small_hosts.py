"""Starts where little is as usual: no environment, a filter that is older than system calls, a new file."""

import errno
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.offline_roots import PROGRAM, DenizenHome
from tests.support.seccomp import CLONE3, FACCESSAT2, STATX, refusing, under_filter

pytestmark = pytest.mark.slow

_HELLO = "hello from the store\n"


@pytest.fixture
def home(tmp_path: Path) -> DenizenHome:
    return DenizenHome(tmp_path)


@pytest.mark.parametrize(
    ("error", "calls"),
    # Where clone3 has EPERM, Python's own C library starts no thread (tests/cli/test_dispatch.py).
    [(errno.EPERM, (FACCESSAT2, STATX)), (errno.ENOSYS, (CLONE3, FACCESSAT2, STATX))],
)
def test_under_a_filter_that_is_older_than_system_calls_it_starts(
    home: DenizenHome, error: int, calls: tuple[int, ...]
) -> None:
    """A container runtime's of 2020 answers EPERM to calls that it does not know; an old kernel ENOSYS."""
    program = str(home.compile("greets"))
    content = refusing(*calls, error=error)
    for _ in range(2):
        command = under_filter(content, home.command("run", program, "one"))
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, f"{_HELLO}[{program}]\n[one]\n"), done.stderr


@pytest.mark.parametrize("variables", [{}, {"PATH": "/usr/bin:/bin", "LOGNAME": "x", "SHELL": "/bin/sh"}])
def test_what_cron_and_services_give_is_enough(home: DenizenHome, variables: dict[str, str]) -> None:
    program = str(home.compile("greets"))
    for _ in range(2):
        done = home.denizen("run", program, env=variables, directory=Path("/"))
        assert done.stdout == f"{_HELLO}[{program}]\n"


def test_a_program_that_replaces_itself_starts_again_as_the_new_one(home: DenizenHome) -> None:
    """As updaters do: the file that took its place has no decision, and other libraries."""
    home.add_library("later", 'const char *greeting(void) { return "hello from the update"; }')
    home.set_up("index", "update")
    update = home.work / "update"
    new = home.compile("new", PROGRAM, str(home.library("later")))
    shutil.move(new, update)
    program = home.compile("old", f"""
        #include <stdio.h>
        #include <unistd.h>
        const char *greeting(void);
        int main(int count, char **words) {{
            puts(greeting());
            fflush(stdout);
            if (rename("{update}", words[0])) return 3;
            execv(words[0], words);
            return 4;
        }}
        """)  # fmt: skip
    done = home.denizen("run", os.fspath(program), "again")
    assert done.stdout == f"{_HELLO}hello from the update\n[{program}]\n[again]\n"
