"""A program's status, signals, descriptors, terminal and limits are as in a native start."""

import os
import pty
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from tests.contract.strategies.started import FACTS, Started
from tests.support.compiled_loaders import compile_loader
from tests.support.peers import require

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("status", [0, 1, 42, 125, 127, 255])
def test_its_exit_status_is_its_own(started: Started, program: Path, status: int) -> None:
    assert started.run(program, "exit", str(status)).returncode == status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL, signal.SIGSEGV])
def test_a_signal_ends_it_and_nothing_hides_that(
    started: Started, program: Path, number: signal.Signals
) -> None:
    assert started.run(program, "signal", str(int(number))).returncode == -number


def test_what_is_given_to_it_arrives_whole(started: Started, program: Path) -> None:
    given = bytes(range(256)) * 1000
    done = started.run(program, "copy", stdin=given)
    assert (done.returncode, done.stdout, done.stderr) == (0, given, b"")


def test_no_descriptor_of_ours_stays_open(started: Started, program: Path) -> None:
    assert started.lines(program, "descriptors") == ["0", "1", "2"]


def test_descriptors_that_are_closed_stay_closed(started: Started) -> None:
    """At its first start, when denizen itself opens files, and at the next."""
    made = started.compile("closed", FACTS)
    for _ in range(2):
        command = ["/bin/sh", "-c", 'exec "$0" "$@" 0<&- 2>&-', *started.command(made, "descriptors")]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env={})
        assert (done.returncode, done.stdout) == (0, "1\n")


# As a caller: ignores these signals and no others, blocks two, and becomes the rest of its words.
_CALLER = """
import os, signal, sys
ignored = {int(word) for word in sys.argv[1].split(",") if word}
for number in {signal.SIGPIPE, signal.SIGXFSZ, *ignored}:
    signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_SETMASK, {signal.SIGUSR2, signal.SIGCHLD})
os.execv(sys.argv[2], sys.argv[2:])
"""


def _called(ignored: tuple[int, ...], *command: str) -> list[str]:
    called = [sys.executable, "-c", _CALLER, ",".join(map(str, ignored)), *command]
    done = subprocess.run(called, capture_output=True, text=True, check=False, timeout=60, env={})
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command as it is installed: the compiled one, and the script behind it."""
    command = compile_loader(tmp_path_factory.mktemp("bin") / "denizen-front")
    script = command.with_name("denizen-python")
    text = (Path(__file__).parents[3] / "scripts" / "denizen").read_text()
    script.write_text(text.replace("#!python", f"#!{sys.executable}", 1))
    script.chmod(0o755)
    return command


@pytest.mark.parametrize(
    "ignored",
    [
        (),
        (signal.SIGPIPE,),
        (signal.SIGXFSZ,),
        (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD, signal.SIGHUP),
    ],
)
def test_its_signals_are_as_its_caller_left_them(
    started: Started, program: Path, front: Path, ignored: tuple[int, ...]
) -> None:
    status = _called(ignored, "/bin/cat", "/proc/self/status")
    natively = [line for line in status if line.startswith(("SigBlk", "SigIgn", "SigCgt"))]
    command = started.command(program, "signals")
    if started.strategy != "installed":
        command = [os.fspath(front), *command[3:]]
    assert _called(ignored, *command) == natively


def test_a_first_start_by_who_ignores_its_children_is_like_any_other(started: Started) -> None:
    made = started.compile("orphan", FACTS)
    command = started.command(made, "words")
    done = subprocess.run(
        [sys.executable, "-c", _CALLER, str(int(signal.SIGCHLD)), *command],
        capture_output=True, text=True, check=False, timeout=60, env={},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, f"{made}\nwords\n")


def test_the_terminal_is_the_programs(started: Started, program: Path) -> None:
    leader, follower = pty.openpty()
    settings = termios.tcgetattr(follower)
    with os.fdopen(leader, "rb", buffering=0) as terminal:
        process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", *started.command(program, "terminal")],
            stdin=follower, stdout=follower, stderr=follower, env={"PATH": os.defpath},
        )  # fmt: skip
        assert process.wait(60) == 0
        assert termios.tcgetattr(follower) == settings
        os.close(follower)
        assert terminal.read(100).decode().split() == ["1", "1", "1", "1"]


@pytest.mark.parametrize("limit", ["6:6", "6:4096"])
def test_a_low_limit_on_descriptors_is_the_programs_affair(
    started: Started, program: Path, foreign: Path, limit: str
) -> None:
    require("prlimit")
    command = started.command(program, "execv", os.fspath(foreign), "x", "words", "y")
    done = subprocess.run(
        ["prlimit", f"--nofile={limit}", *command],
        capture_output=True,
        text=True,
        check=False,
        env={},
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "x\nwords\ny\n", "")


def test_a_child_of_one_with_a_low_limit_on_descriptors_is_decided_about(
    started: Started, program: Path
) -> None:
    require("prlimit")
    child = started.compile("limited", "int greeting(); int main() { greeting(); return 5; }")
    command = started.command(program, "execv", os.fspath(child), "x")
    assert subprocess.run(["prlimit", "--nofile=6:4096", *command], check=False, env={}).returncode == 5


@pytest.mark.parametrize("limit", [6, 16])
def test_a_child_that_the_host_satisfies_starts_where_no_limit_can_be_raised(
    started: Started, program: Path, limit: int
) -> None:
    """The helper has the program's hard limit; only CAP_SYS_RESOURCE would raise it."""
    require("prlimit", "setpriv")
    if started.strategy == "installed":
        pytest.skip("the host starts nothing there: what lies at the interpreter's path is the loader")
    plain = started.home.work / f"plain-{limit}-{started.strategy}"
    _compile_plain(plain)
    command = [*_limited(limit), *started.command(program, "execv", os.fspath(plain), "x")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={}, timeout=60)
    assert (done.returncode, done.stderr) == (5, "")


def test_a_child_needs_packages_and_no_limit_can_be_raised(started: Started, program: Path) -> None:
    """16 descriptors suffice to decide about it; where they do not, the reason is said."""
    require("prlimit", "setpriv")
    for limit, status in ((6, 127), (20, 20)):
        # Its own build-id: by that the decision about a like one would be found.
        source = f"int greeting(); int main() {{ greeting(); return {limit}; }}"
        child = started.compile(f"needy-{limit}", source)
        command = [*_limited(limit), *started.command(program, "execv", os.fspath(child), "x")]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={}, timeout=60)
        assert done.returncode == status
        assert ("Too many open files" in done.stderr) == (limit == 6)


def _limited(count: int) -> list[str]:
    return ["setpriv", "--bounding-set=-sys_resource", "prlimit", f"--nofile={count}:{count}"]


def _compile_plain(output: Path) -> None:
    text = output.with_suffix(".c")
    text.write_text("int main(void) { return 5; }")
    subprocess.run(["gcc", "-o", output, text], check=True)


def test_the_personality_of_a_small_machine_changes_nothing(started: Started, program: Path) -> None:
    """`setarch i386`: uname says i686 to a program for x86-64 too, and to what decides about its child."""
    require("setarch")
    child = started.compile("personal", "int greeting(); int main() { greeting(); return 5; }")
    for made, words in ((program, ["execv", os.fspath(child), "x"]), (child, [])):
        command = ["setarch", "i386", *started.command(made, *words)]
        assert subprocess.run(command, check=False, env={}, timeout=60).returncode == 5
    name = ["setarch", "i386", *started.command(program, "execvp", "uname", "uname", "-m")]
    assert subprocess.run(name, capture_output=True, text=True, check=True, env={}).stdout == "i686\n"
