"""What a program inherits through denizen: held against a process that takes and gives back."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.compiled_loaders import compile_loader

_TAKEN = """
import os, signal, sys
for number in (signal.SIGPIPE, signal.SIGXFSZ):
    signal.signal(number, signal.SIG_IGN)
{before}
from denizen.launch.process_state import become, take
take(os.environ)
{between}
become(b"/bin/cat", [b"cat", b"/proc/self/status", b"/proc/self/environ"])
"""


# SIGPIPE, SIGCHLD and SIGXFSZ, which denizen changes and gives back.
_OF_DENIZEN = 1 << 12 | 1 << 16 | 1 << 24
# SIGCANCEL and SIGSETXID: glibc's posix_spawn ignores them in the child, and subprocess uses it from 3.13.
_OF_GLIBC = 1 << 31 | 1 << 32


def _ignored(before: str = "", between: str = "", env: dict[str, str] | None = None) -> int:
    """Return the mask of signals that the program ignores; the variable must be gone."""
    code = _TAKEN.format(before=before, between=between)
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env or {})
    assert done.stderr == ""
    # A suite that was started by nohup, or in a shell's background, has ignored signals of its own.
    inherited = _mask(Path("/proc/self/status").read_text()) & ~_OF_DENIZEN
    assert "DENIZEN_IGNORED_SIGNALS" not in done.stdout
    return _mask(done.stdout) & ~(inherited | _OF_GLIBC)


def _mask(status: str) -> int:
    """Return the mask of ignored signals that /proc/PID/status tells."""
    return int(dict(line.split(":", 1) for line in status.splitlines() if ":" in line)["SigIgn"], 16)


@pytest.mark.parametrize(
    ("told", "mask"),
    [("", 0), ("13", 1 << 12), ("25", 1 << 24), ("13,25", 1 << 12 | 1 << 24), ("x,,-1,9", 0)],
)
def test_what_was_ignored_before_python_is_told_by_who_knows(told: str, mask: int) -> None:
    env = {"DENIZEN_IGNORED_SIGNALS": told} if told else {}
    assert _ignored(env=env) == mask


def test_ignored_children_are_waited_for_by_us_and_ignored_in_the_program() -> None:
    ignored = "signal.signal(signal.SIGCHLD, signal.SIG_IGN)"
    waited = "import subprocess; assert subprocess.run(['/bin/false']).returncode == 1"
    assert _ignored(ignored, waited) == 1 << 16


def test_a_program_the_kernel_refuses_leaves_this_process_as_it_was() -> None:
    refused = (
        "try: become(b'/nonexistent', [b'x'])\n"
        "except OSError: assert signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN"
    )
    assert _ignored(between=refused) == 0


_CLOSED = """
import os, sys
def is_closed(number):
    try: os.fstat(number)
    except OSError: return True
closed = [number for number in range(3) if is_closed(number)]
open(sys.argv[1], "a").write(str(closed))
"""


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_no_file_of_ours_lands_on_a_closed_standard_descriptor(closed: str, tmp_path: Path) -> None:
    said = tmp_path / "said"
    between = (
        f"said = open({os.fspath(said)!r}, 'w')\n"
        "print(said.fileno(), sys.stdout is None, sys.stderr is None, file=said, flush=True)\n"
        f"os.execv({sys.executable!r}, ['python', '-c', {_CLOSED!r}, {os.fspath(said)!r}])"
    )
    script = tmp_path / "script"
    script.write_text(_TAKEN.format(before="", between=between))
    subprocess.run(["/bin/sh", "-c", f'exec "$0" "$1" {closed}', sys.executable, script], check=False)
    number, *missing = said.read_text().split("\n")[0].split()
    assert int(number) > 2
    assert missing == ["False", "False"]
    # In the program they are as closed as they were.
    assert said.read_text().split("\n")[1] == str([int(word[0]) for word in closed.split()])


def test_enter_tells_who_takes_over_from_it(tmp_path: Path) -> None:
    enter = compile_loader(tmp_path / "denizen-enter")
    plan = [
        os.fspath(enter),
        "else",
        "1",
        "/usr/bin/env",
        "bind",
        "/nonexistent/a",
        "/nonexistent/b",
        "--",
        "A=1",
    ]
    for ignoring, expected in ((":", ["A=1"]), ("trap '' PIPE", ["A=1", "DENIZEN_IGNORED_SIGNALS=13"])):
        done = subprocess.run(
            ["/bin/sh", "-c", f'{ignoring}; unset PWD; exec "$0" "$@"', *plan],
            capture_output=True, text=True, check=True, env={},
        )  # fmt: skip
        assert sorted(done.stdout.split()) == expected


@pytest.mark.parametrize("umask", ["0000", "0022", "0777"])
def test_the_program_has_the_callers_umask(umask: str) -> None:
    source = (
        "import os; from denizen.launch import process_state; process_state.take(os.environ); "
        "between = os.umask(0); os.umask(between); print(oct(between & 0o700), flush=True); "
        "process_state.become(b'/bin/sh', [b'sh', b'-c', b'umask'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True, umask=int(umask, 8)
    )
    assert done.stdout.split() == ["0o0", umask]


@pytest.mark.parametrize("own", [False, True])
def test_a_child_of_denizens_leaves_no_signal_pending_in_a_program_that_blocks_it(own: bool) -> None:  # noqa: FBT001  # a parameter
    """What the caller left pending stays so: execve passes it on."""
    blocked = "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})"
    before = f"{blocked}; os.kill(os.getpid(), signal.SIGCHLD)" if own else blocked
    code = _TAKEN.format(before=before, between="os.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={})
    facts = dict(line.split(":", 1) for line in done.stdout.splitlines() if ":" in line)
    pending = int(facts["ShdPnd"], 16) | int(facts["SigPnd"], 16)
    assert bool(pending & 1 << 16) is own


def test_the_callers_library_path_is_given_back() -> None:
    """The command keeps from this Python what is for the program (loader/front/python_environment.h)."""
    environment = {"DENIZEN_LIBRARY_PATH": "/program/lib:", "LD_LIBRARY_PATH": "/usr/lib"}
    command = [sys.executable, "-c", _TAKEN.format(before="", between="")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    variables = [one for one in done.stdout.split("\0") if one.endswith("/lib:") or "LIBRARY_PATH" in one]
    assert [one.rpartition("\n")[2] for one in variables] == ["LD_LIBRARY_PATH=/program/lib:"]
