"""The budget: how much may be brought to a program in one run, without its user being asked.

What it kept out is asked for again when its file changes: launch/kept_out.py and loader/budget.c look.
"""

from __future__ import annotations

from denizen.errors import BadInput, display
from denizen.launch.kept_out import BUDGET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session

# MB of packages for one run of a program; 0 forbids all. The file `budget` in the configuration overrides it.
DEFAULT_BUDGET = 100
# Bytes that are read of the file; a number of MB has at most so many digits.
_MAX_FILE, _MAX_DIGITS = 4096, 12


class BadBudget(BadInput):
    """The file `budget` holds no number.

    Attributes:
        path: the file.
        problem: what is wrong with it, and in which line.
    """

    path: bytes
    problem: str
    WHAT = "{path} says no budget"
    WHY = "{problem:text}"

    @property
    def remedy(self) -> str:
        return f"write a number of megabytes into it ({DEFAULT_BUDGET}), or remove it"

    @property
    def sentence(self) -> str:
        """The file and its problem in one line, as a reason why something is not brought."""
        return f"{self.what}: {self.why}"


def budget_of(session: Session) -> int:
    """Return the size in MB of the packages that may be added to a program in one run. Raises BadBudget."""
    path = session.paths.config + b"/" + BUDGET
    try:
        with open(path, "rb") as stream:
            text = stream.read(_MAX_FILE)
    except (FileNotFoundError, NotADirectoryError):
        return DEFAULT_BUDGET
    except OSError as problem:
        raise BadBudget(path, problem.strerror or str(problem)) from problem
    return _number_in(path, text)


def over_budget(session: Session, size: int) -> str:
    """Return the reason against fetching so many bytes in one run; "" for none."""
    try:
        budget = budget_of(session)
    except BadBudget as problem:
        return problem.sentence if size else ""
    if size <= budget * 1_000_000:
        return ""
    return f"with what it needs it is {size // 1_000_000} MB, and the budget is {budget}"


def report_bad_budget(session: Session) -> None:
    """Report a file `budget` without a number, by which no running program will get anything."""
    try:
        budget_of(session)
    except BadBudget as problem:
        session.reporter.say(f"denizen: {problem.sentence}; {problem.remedy}")


def _number_in(path: bytes, text: bytes) -> int:
    lines = [(number, line.strip()) for number, line in enumerate(text.split(b"\n"), 1) if line.strip()]
    if not lines:
        raise BadBudget(path, "line 1: it is empty")
    number, first = lines[0]
    if not first.isdigit() or len(first) > _MAX_DIGITS:
        raise BadBudget(path, f"line {number}: {display(first[:40])} is no number of megabytes")
    if len(lines) > 1:
        raise BadBudget(path, f"line {lines[1][0]}: one number is all that it may hold")
    return int(first)
