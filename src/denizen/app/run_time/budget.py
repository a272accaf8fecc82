"""The budget: how much may be brought to a program in one run, without its user being asked.

What it kept out is asked for again when its file changes: launch/kept_out.py and loader/budget.c look.
"""

from __future__ import annotations

from denizen.launch.kept_out import BUDGET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session

# MB of packages for one run of a program; 0 forbids all. The file `budget` in the configuration overrides it.
DEFAULT_BUDGET = 100


def budget_of(session: Session) -> int:
    """Return the size in MB of the packages that may be added to a program in one run."""
    try:
        with open(session.paths.config + b"/" + BUDGET, "rb") as stream:
            text = stream.read(16).strip()
    except OSError:
        return DEFAULT_BUDGET
    return int(text) if text.isdigit() else DEFAULT_BUDGET
