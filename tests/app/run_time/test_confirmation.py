"""`run --ask`: what a running program wants beyond the budget is asked about at the terminal."""

import subprocess
from pathlib import Path

import pytest

from tests.support.offline_roots import TIMEOUT, DenizenHome
from tests.support.opening_programs import ABSENT, Opener
from tests.support.terminals import at_terminal

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


def _shown(opening: Opener, answer: str, *around: str) -> str:
    """Return what the terminal shows where the program opens the library and the question is answered."""
    words = opening.home.command("run", "--ask", str(opening.program), "late")
    end = at_terminal([*around, *words], _QUESTION, [answer])
    assert end.status == 0, end.shown
    return end.shown


def test_what_is_confirmed_comes_and_is_not_asked_about_again(opening: Opener) -> None:
    shown = _shown(opening, "y")
    assert _QUESTION in shown
    assert ABSENT not in shown
    again = _shown(opening, "n")
    assert _QUESTION not in again
    assert ABSENT not in again


def test_a_program_whose_input_is_no_terminal_is_asked_about_at_its_terminal(opening: Opener) -> None:
    shown = _shown(opening, "yes", "sh", "-c", '"$@" < /dev/null', "sh")
    assert _QUESTION in shown
    assert ABSENT not in shown


@pytest.mark.parametrize("answer", ["", "no", "maybe"])
def test_what_is_declined_stays_away(opening: Opener, answer: str) -> None:
    shown = _shown(opening, answer)
    assert _QUESTION in shown
    assert ABSENT in shown


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
