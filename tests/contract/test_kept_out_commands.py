"""Commands that the budget keeps out: told when the program fails, with the command that brings them."""

import os
import re
import signal
from pathlib import Path

import pytest

from denizen.launch.command_links import commands_of
from tests.support.bare_programs import BareProgram
from tests.support.debs import Item
from tests.support.terminals import at_terminal

pytestmark = pytest.mark.slow

# It ends with status 5 unless a child of its ends with 6; the child is forked, or has its parent's memory.
# A third word is another status, a fourth another way to end.
_STARTS = """
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int count, char **words) {
    int status;
    int child = !strcmp(words[1], "fork") ? fork() : vfork();
    if (!child) {
        execvp(words[2], words + 2);
        _exit(127);
    }
    waitpid(child, &status, 0);
    if (WEXITSTATUS(status) == 6) return 0;
    status = count > 3 ? atoi(words[3]) : 5;
    if (count < 5) return status;
    words[4][0] == '_' ? _exit(status) : abort();
}
"""
_SCRIPT = b"#!/bin/sh\nexit 6\n"
_TOOLS = ("tools", [Item("./usr/bin/made-up-name", content=_SCRIPT, mode=0o755)])
_OTHERS = ("others", [Item("./usr/bin/other-name", content=_SCRIPT, mode=0o755)])


def _told(error: str) -> list[str]:
    """Return the lines, without the size, which is that of this machine's tools."""
    return [re.sub(r"it is \d+ MB", "it is N MB", line) for line in error.splitlines() if "brought" in line]


@pytest.mark.parametrize(
    ("host", "strategy", "how"), [("bare root", "namespace", "fork"), ("container", "stub", "vfork")]
)
def test_a_failure_after_a_command_beyond_the_budget_tells_what_brings_it(
    tmp_path: Path, host: str, strategy: str, how: str
) -> None:
    bare = BareProgram(host, tmp_path, _STARTS, _TOOLS, _OTHERS)
    budget = bare.directories.root / "config" / "budget"
    budget.parent.mkdir(exist_ok=True)
    budget.write_text("0\n")
    line = "denizen: made-up-name was not brought: with what it needs it is N MB, and the budget is 0; "
    line += f"denizen run --with tools {bare.path} brings it"
    for _ in range(2):
        done = bare.run(strategy, how, "made-up-name")
        assert (done.status, _told(done.err)) == (5, [line])
    for word, status in (("_exit", 7), ("abort", 128 + signal.SIGABRT)):
        done = bare.run(strategy, how, "made-up-name", "7", word)
        assert (done.status, _told(done.err)) == (status, [line])
    for words in (("0",), ("0", "_exit")):
        done = bare.run(strategy, how, "made-up-name", *words)
        assert (done.status, _told(done.err)) == (0, [])
    assert bare.run(strategy, how, "other-name").status == 5
    budget.write_text("1000\n")
    assert bare.run(strategy, how, "other-name").status == 0
    budget.write_text("0\n")
    assert bare.run(strategy, how, "made-up-name", options=("--with", "tools")).status == 0
    # Without the option it costs nothing now: all of it lies in the store.
    commands_of(bytes(bare.directories.root / "state" / "decisions")).forget_denied()
    assert bare.run(strategy, how, "made-up-name").status == 0


@pytest.mark.parametrize(("answer", "status"), [("y", 0), ("n", 5)])
def test_with_ask_a_command_beyond_the_budget_is_asked_about(
    tmp_path: Path, answer: str, status: int
) -> None:
    bare = BareProgram("bare root", tmp_path, _STARTS, _TOOLS)
    budget = bare.directories.root / "config" / "budget"
    budget.parent.mkdir(exist_ok=True)
    budget.write_text("0\n")
    host, option = bare.host, ("--strategy", "namespace", "--ask")
    command = [*host.denizen("run", *option), bare.path, "fork", "made-up-name"]
    words = host.wrap(host.directories.work, host.environment, [str(word) for word in command])
    end = at_terminal([os.fspath(word) for word in words], "[y/N] ", [answer])
    assert end.status == status, end.shown
    assert "the program wants made-up-name: with what it needs it is" in end.shown
    assert ("made-up-name was not brought: it was declined" in end.shown) is (status == 5)
