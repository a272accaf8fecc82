"""Errors of a program that cannot be started by any strategy, and refusals of the kernel to any command."""

from __future__ import annotations

import os

from denizen.disk import DENIED, FULL
from denizen.errors import EXIT_CANNOT_START, DenizenError, HostLacks, display
from denizen.value import Enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.diagnose.problem import Problem
    from denizen.diagnose.report import Report
    from denizen.resolve.resolution import Resolution

# Codes of errors that denizen mends by packages; any other error is the program's own or the host's.
MENDED = frozenset(
    {
        "interpreter-missing", "interpreter-unusable", "library-missing", "version-missing", "symbol-missing",
        "glibc-too-old", "libstdcxx-too-old", "executable-stack", "noexec-mount", "kernel-too-old",
        "script-interpreter-missing", "script-command-missing",
    }
)  # fmt: skip


class CannotStart(DenizenError):
    """The error that a program is itself at fault (its format, its permissions): no package mends it."""

    exit_status = EXIT_CANNOT_START
    program: bytes
    problems: tuple[Problem, ...]
    WHAT = "{program} cannot be started"

    @property
    def why(self) -> str:
        return "\n".join(problem.message for problem in self.problems)

    @property
    def remedy(self) -> str:
        return "\n".join(problem.hint for problem in self.problems if problem.hint)


class Unsatisfied(HostLacks):
    """The error that no choice of packages satisfies the program."""

    exit_status = EXIT_CANNOT_START
    program: bytes
    sentences: tuple[str, ...]
    WHAT = "no packages have all that {program} needs"
    REMEDY = "denizen why {program}; denizen source list"

    @property
    def why(self) -> str:
        return "\n".join(self.sentences)


class StartOutcome(Enum):
    """The answer to how a program that was examined starts; the values are those of `why --json`."""

    HOST = "host"
    DENIZEN = "denizen"
    # No indexes were searched, or only the creation of an environment shows what is missing.
    PERHAPS = "perhaps"
    NOTHING = "nothing"


def outcome_of(report: Report, resolution: Resolution | None) -> StartOutcome:
    """Return how the program starts; `resolution` is None if no packages were resolved."""
    if report.starts:
        return StartOutcome.HOST
    if any(code not in MENDED for code in _errors(report)):
        return StartOutcome.NOTHING
    if resolution is None:
        return StartOutcome.DENIZEN if report.is_emulated and report.stands_alone else StartOutcome.PERHAPS
    stopped = resolution.interpreter is None or any(p.lack.stops_start for p in resolution.problems)
    return StartOutcome.NOTHING if stopped else StartOutcome.DENIZEN


def refuse_hopeless(program: bytes, report: Report) -> None:
    """Raise CannotStart where the report holds an error that no other set of libraries mends."""
    hopeless = {code: problem for code, problem in _errors(report).items() if code not in MENDED}
    if hopeless:
        raise CannotStart(program, tuple(hopeless.values()))


def _errors(report: Report) -> dict[str, Problem]:
    return {p.code: p for p in report.problems if p.severity.value == "error"}


class StartRefused(HostLacks):
    """The error that the kernel refused an operation which no lower layer gave an error of its own."""

    error: OSError

    @property
    def what(self) -> str:
        name = self.error.filename
        refused = "there is no room left" if self.error.errno in FULL else "the system refused an operation"
        if not isinstance(name, str | bytes):
            return refused
        return f"{refused} {'for' if self.error.errno in FULL else 'on'} {display(name)}"

    @property
    def why(self) -> str:
        return self.error.strerror or str(self.error)

    @property
    def remedy(self) -> str:
        if self.error.errno in FULL:
            return "denizen gc"
        if self.error.errno in DENIED:
            from denizen.trust import user

            return f"you are {user(os.geteuid())}; --root DIR, for a directory of your own"
        return ""
