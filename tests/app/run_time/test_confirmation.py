"""`run --ask`: what a running program wants beyond the budget is asked about at the terminal."""

import fcntl
import os
import pty
import select
import subprocess
import termios
from pathlib import Path

import pytest

from tests.support.offline_roots import TIMEOUT, DenizenHome
from tests.support.opening_programs import ABSENT, Opener

pytestmark = pytest.mark.slow

_QUESTION = (
    "wants liblate.so.1: it is 0 MB, and of the budget of 0 MB for one run 0 are spent. Bring 1 MB? [y/N] "
)


@pytest.fixture
def opening(tmp_path: Path) -> Opener:
    opener = Opener(DenizenHome(tmp_path))
    budget = opener.home.root / "config" / "budget"
    budget.parent.mkdir(exist_ok=True)
    budget.write_text("0\n")
    return opener


def _at_terminal(opening: Opener, typed: bytes) -> tuple[str, str]:
    """Start the program at a terminal on which `typed` waits; return its output and what was shown there."""
    master, slave = pty.openpty()
    try:
        os.write(master, typed)
        done = subprocess.run(
            opening.home.command("run", "--ask", str(opening.program), "late"),
            stdin=slave,
            capture_output=True,
            text=True,
            check=True,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            timeout=TIMEOUT,
        )
        shown = os.read(master, 4096) if select.select([master], [], [], 0)[0] else b""
    finally:
        os.close(master)
        os.close(slave)
    return done.stdout, shown.decode()


def test_what_is_confirmed_comes_and_is_not_asked_about_again(opening: Opener) -> None:
    output, shown = _at_terminal(opening, b"y\n")
    assert ABSENT not in output
    assert _QUESTION in shown
    output, shown = _at_terminal(opening, b"\n")
    assert ABSENT not in output
    assert "Bring" not in shown


@pytest.mark.parametrize("answer", [b"\n", b"no\n", b"maybe\n"])
def test_what_is_declined_stays_away(opening: Opener, answer: bytes) -> None:
    output, shown = _at_terminal(opening, answer)
    assert ABSENT in output
    assert _QUESTION in shown


def test_without_a_terminal_nothing_beyond_the_budget_comes(opening: Opener) -> None:
    done = subprocess.run(
        opening.home.command("run", "--ask", str(opening.program), "late"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        start_new_session=True,
        timeout=TIMEOUT,
    )
    assert ABSENT in done.stdout
