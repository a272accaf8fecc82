"""The problems that `why` reports: codes, severities, sentences and remedies (pure)."""

from __future__ import annotations

from denizen.value import Enum, Value


class Severity(Enum):
    """The severity of a problem."""

    ERROR = "error"  # the program does not start here
    WARNING = "warning"  # it starts, and may fail later or behave otherwise
    NOTE = "note"  # worth knowing before one changes anything


class Problem(Value):
    """One problem.

    Attributes:
        code: for scripts; listed in docs/why.md and never renamed.
        severity: whether it keeps the program from starting.
        message: the cause, in plain words, with the object that it concerns.
        hint: the user's remedy; "" where there is none.
        details: lines that support the message, most telling first.
    """

    code: str
    severity: Severity
    message: str
    hint: str = ""
    details: tuple[str, ...] = ()


def error(code: str, message: str, hint: str = "", details: tuple[str, ...] = ()) -> Problem:
    """Return a problem that keeps the program from starting."""
    return Problem(code, Severity.ERROR, message, hint, details)


def warning(code: str, message: str, hint: str = "", details: tuple[str, ...] = ()) -> Problem:
    """Return a problem that shows after the start."""
    return Problem(code, Severity.WARNING, message, hint, details)


def note(code: str, message: str, hint: str = "") -> Problem:
    """Return a remark that is no problem."""
    return Problem(code, Severity.NOTE, message, hint)


def listed(names: tuple[str, ...] | list[str], *, most: int = 12) -> str:
    """Return names as "a, b and c"; of more than `most` names, the number of the rest."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    if len(names) <= 1:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def counted(number: int, singular: str, plural: str) -> str:
    """Return a number with its noun: "1 library", "3 libraries"."""
    return f"{number} {singular if number == 1 else plural}"
