"""What policy keeps out of a running program is told when it fails, with the command that brings it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from denizen.errors import shell_word
from tests.support.debs import Item
from tests.support.offline_roots import DenizenHome
from tests.support.opening_programs import ABSENT, Opener, host_with

pytestmark = pytest.mark.slow


@pytest.fixture
def opening(tmp_path: Path) -> Opener:
    return Opener(DenizenHome(tmp_path))


# It ends with the number of names that it missed.
_FAILS = """
#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>
const char *greeting(void);
int main(int count, char **words) {
    int missed = 0, status;
    greeting();
    for (int i = 1; i < count; i++) missed += !dlopen(words[i], RTLD_NOW);
    if (!fork()) return 9;
    wait(&status);
    return missed;
}
"""


_FAULT = "*(volatile int *)0 = 1"
_HEADERS = "#include <signal.h>\n#include <stdlib.h>\n#include <sys/syscall.h>\n"


@pytest.fixture
def failing(opening: Opener) -> Opener:
    opening.program = opening.home.compile("fails", _FAILS, "-ldl")
    return opening


def _ends(opening: Opener, *words: str, options: tuple[str, ...] = ()) -> tuple[int, str]:
    done = opening.home.denizen("run", *options, str(opening.program), *words, status=None)
    return done.returncode, done.stderr


def test_a_failure_after_a_miss_beyond_the_budget_tells_the_command_that_brings_it(
    failing: Opener,
) -> None:
    place = failing.home.root / "config"
    place.mkdir(exist_ok=True)
    (place / "budget").write_text("0\n")
    command = f"run --with liblate.so.1 {shell_word(os.fspath(failing.program))}"
    line = (
        "denizen: liblate.so.1 was not brought: it is 0 MB, and of the budget of 0 MB for one run 0 are "
        f"spent; denizen {command} brings it\n"
    )
    for _ in range(2):
        assert _ends(failing, "liblate.so.1", "liblate.so.1", "libnobody.so.1") == (3, line)
    assert _ends(failing, "liblate.so.1", options=("--with", "liblate.so.1")) == (0, "")


def test_what_the_budget_kept_out_comes_once_that_is_raised(failing: Opener) -> None:
    budget = failing.home.root / "config" / "budget"
    budget.parent.mkdir(exist_ok=True)
    budget.write_text("0\n")
    assert _ends(failing, "liblate.so.1")[0] == 1
    budget.unlink()
    for _ in range(2):
        assert _ends(failing, "liblate.so.1") == (0, "")
    assert failing.opened.denied() == {}


def test_a_budget_that_is_no_number_is_told_and_nothing_comes_until_it_is_one(failing: Opener) -> None:
    budget = failing.home.root / "config" / "budget"
    budget.parent.mkdir(exist_ok=True)
    budget.write_text("100 MB\n")
    problem = f"{budget} says no budget: line 1: 100 MB is no number of megabytes"
    remedy = "write a number of megabytes into it (100), or remove it"
    status, first = _ends(failing, "liblate.so.1")
    told = first.splitlines()
    assert (status, len(told)) == (1, 2)
    assert told[0] == f"denizen: {problem}; {remedy}"
    assert told[1].startswith(f"denizen: liblate.so.1 was not brought: {problem}; denizen run --with")
    assert _ends(failing, "liblate.so.1") == (1, f"{told[1]}\n")
    budget.write_text("100\n")
    assert _ends(failing, "liblate.so.1") == (0, "")


@pytest.mark.parametrize(
    "end",
    [
        "_exit(missed)",
        "abort()",
        "syscall(SYS_exit_group, missed)",
        "raise(SIGBUS)",
        _FAULT,
    ],
)
def test_a_failure_without_exit_is_told_by_a_program_that_starts_others(opening: Opener, end: str) -> None:
    source = _FAILS.replace("return missed;", f"if (missed > 9) execl(words[0], words[0], NULL);\n{end};")
    opening.program = opening.home.compile("fails", f"{_HEADERS}{source}", "-ldl")
    _, told = _ends(opening, "libnss_made.so.1")
    assert told.startswith("denizen: libnss_made.so.1 was not brought: ")


@pytest.mark.parametrize(
    ("end", "status"),
    [
        (_FAULT, -signal.SIGSEGV),
        ("kill(getpid(), SIGSEGV)", -signal.SIGSEGV),
        ("exit(0)", 0),
    ],
)
def test_a_program_that_a_fault_ends_tells_what_it_missed_and_ends_by_the_signal(
    opening: Opener, end: str, status: int
) -> None:
    opening.program = opening.home.compile(
        "fails", f"{_HEADERS}{_FAILS.replace('return missed', end)}", "-ldl"
    )
    code, told = _ends(opening, "libnss_made.so.1")
    assert (code, "libnss_made.so.1 was not brought" in told) == (status, status != 0)


def test_a_handler_of_the_programs_own_is_left_alone(opening: Opener) -> None:
    source = _FAILS.replace("int main(", "void end(int signal) { _exit(6); }\nint main(")
    source = source.replace("greeting();\n    for", "greeting();\n    signal(SIGSEGV, end);\n    for")
    source = source.replace("return missed", _FAULT)
    opening.program = opening.home.compile("fails", f"{_HEADERS}{source}", "-ldl")
    assert _ends(opening, "libnss_made.so.1")[0] == 6


def test_a_failure_after_a_miss_by_rule_is_told(failing: Opener) -> None:
    status, told = _ends(failing, "libnss_made.so.1")
    assert status == 1
    assert told.startswith("denizen: libnss_made.so.1 was not brought: ")
    assert told.endswith(
        f"; denizen run --with libnss_made.so.1 {shell_word(os.fspath(failing.program))} brings it\n"
    )
    assert _ends(failing, "libnss_made.so.1", options=("--with", "libnss_made.so.1")) == (0, "")


_REFUSES = """
import sys
from denizen.app.run_time import running_program
from denizen.cli.main import main
from denizen.sources.errors import Offline
def refuse(*_, **__):
    raise Offline("liblate1")
running_program.install = refuse
main()
"""


def test_what_offline_keeps_out_is_told_as_long_as_it_is_not_here(failing: Opener) -> None:
    failing.run()
    words = ("--opened", os.fsdecode(failing.opened.directory), "--missed", "liblate.so.1")
    command = ["decide", "--root", str(failing.home.root), *words, "--", str(failing.program)]
    subprocess.run([sys.executable, "-c", _REFUSES, *command], check=True)
    kept = Path(os.fsdecode(failing.opened.directory)) / ".kept-out" / "liblate.so.1"
    line = "denizen: liblate.so.1 was not brought: --offline forbids to fetch it; "
    assert kept.read_text() == f"{line}denizen run {shell_word(os.fspath(failing.program))} brings it\n"
    assert failing.opened.denied() == {}
    assert _ends(failing, "liblate.so.1") == (0, "")
    assert not kept.exists()


def test_what_is_kept_out_of_a_program_that_succeeds_is_not_told(opening: Opener) -> None:
    assert opening.run("nss_made") == [f"libnss_made.so.1: {ABSENT}"]
    assert opening.home.denizen("run", str(opening.program), "nss_made").stderr == ""


def test_with_a_lock_nothing_new_comes_and_a_failure_tells_that(failing: Opener, tmp_path: Path) -> None:
    lock = str(tmp_path / "lock")
    failing.home.denizen("lock", str(failing.program), "-o", lock)
    line = "denizen: liblate.so.1 was not brought: the lock does not have it; "
    line += f"denizen run {shell_word(os.fspath(failing.program))} brings it\n"
    for _ in range(2):
        assert _ends(failing, "liblate.so.1", options=("--lock", lock)) == (1, line)


_DRIVER = "/usr/lib/drivers/libmade.so"


@pytest.fixture
def driven(failing: Opener) -> Opener:
    """A package has a library at a path outside of the directories that ld.so searches."""
    content = failing.home.library("late").read_bytes()
    failing.home.write("made-driver", [Item(f".{_DRIVER}", content=content)])
    failing.home.set_up("index", "update")
    return failing


def test_a_path_that_the_lock_does_not_have_is_told(driven: Opener, tmp_path: Path) -> None:
    lock = str(tmp_path / "lock")
    driven.home.denizen("lock", str(driven.program), "-o", lock)
    line = f"denizen: {_DRIVER} was not brought: the lock does not have it; "
    line += f"denizen run {shell_word(os.fspath(driven.program))} brings it\n"
    for _ in range(2):
        assert _ends(driven, _DRIVER, f"/usr/lib//{_DRIVER}", options=("--lock", lock)) == (2, line)


def test_a_path_beyond_the_budget_is_told_until_that_is_raised(driven: Opener, tmp_path: Path) -> None:
    host = host_with("bare root", driven, tmp_path)
    program = f"{host.directories.programs}/here/work/fails"
    budget = tmp_path / "other-root" / "config" / "budget"
    budget.parent.mkdir(exist_ok=True)
    budget.write_text("0\n")
    for _ in range(2):
        done = host.run(host.denizen("run", program, _DRIVER))
        assert done.status == 1
        assert f"denizen: {_DRIVER} was not brought: it is 0 MB, and of the budget of 0 MB" in done.err
        assert done.err.endswith(
            f"; denizen run --with made-driver {shell_word(os.fspath(program))} brings it\n"
        )
    budget.unlink()
    for _ in range(2):
        assert host.run(host.denizen("run", program, _DRIVER)).status == 0
