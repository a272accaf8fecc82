"""Why a program is not started, whatever the strategy; and what the kernel refused to any command."""

from __future__ import annotations

import errno
import os

from denizen.errors import EXIT_CANNOT_START, DenizenError, HostLacks, display
from denizen.value import Enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.diagnose.problem import Problem
    from denizen.diagnose.report import Report
    from denizen.resolve.resolution import Resolution

# What denizen mends by bringing another world; any other error of `why`'s is the program's own or the host's.
MENDED = frozenset(
    {
        "interpreter-missing", "interpreter-unusable", "library-missing", "version-missing", "symbol-missing",
        "glibc-too-old", "libstdcxx-too-old", "executable-stack", "noexec-mount", "kernel-too-old",
        "script-interpreter-missing", "script-command-missing",
    }
)  # fmt: skip


class CannotStart(DenizenError):
    """Something is wrong with the program itself, and no package mends it."""

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
    """No packages satisfy the program."""

    exit_status = EXIT_CANNOT_START
    program: bytes
    sentences: tuple[str, ...]
    WHAT = "what {program} needs is not to be had"
    REMEDY = "denizen why {program}; denizen source list"

    @property
    def why(self) -> str:
        return "\n".join(self.sentences)


class StartOutcome(Enum):
    """What starts a program that was looked at; the words are `why --json`'s."""

    HOST = "host"
    DENIZEN = "denizen"
    # Nobody asked the indexes, or what is missing is found out when an environment is made.
    PERHAPS = "perhaps"
    NOTHING = "nothing"


def outcome_of(report: Report, resolution: Resolution | None) -> StartOutcome:
    """Return what starts it; `resolution` is None where nobody resolved."""
    if report.starts:
        return StartOutcome.HOST
    if any(code not in MENDED for code in _errors(report)):
        return StartOutcome.NOTHING
    if resolution is None:
        return StartOutcome.PERHAPS
    stopped = resolution.interpreter is None or any(p.lack.stops_start for p in resolution.problems)
    return StartOutcome.NOTHING if stopped else StartOutcome.DENIZEN


def refuse_hopeless(program: bytes, report: Report) -> None:
    """Raise CannotStart where something is wrong that no other world mends."""
    hopeless = {code: problem for code, problem in _errors(report).items() if code not in MENDED}
    if hopeless:
        raise CannotStart(program, tuple(hopeless.values()))


def _errors(report: Report) -> dict[str, Problem]:
    return {p.code: p for p in report.problems if p.severity.value == "error"}


_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_DENIED = frozenset({errno.EACCES, errno.EPERM})


class StartRefused(HostLacks):
    """The kernel refused something that no layer below gave words to."""

    error: OSError

    @property
    def what(self) -> str:
        name = self.error.filename
        refused = "there is no room left" if self.error.errno in _FULL else "the system refused an operation"
        if not isinstance(name, str | bytes):
            return refused
        return f"{refused} {'for' if self.error.errno in _FULL else 'on'} {display(name)}"

    @property
    def why(self) -> str:
        return self.error.strerror or str(self.error)

    @property
    def remedy(self) -> str:
        if self.error.errno in _FULL:
            return "denizen gc"
        if self.error.errno in _DENIED:
            from denizen.trust import user

            return f"you are {user(os.geteuid())}; --root DIR, for a directory of your own"
        return ""
