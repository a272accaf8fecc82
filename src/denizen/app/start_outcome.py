"""The outcome of an examination: the program starts here, by denizen, or not at all (pure)."""

from __future__ import annotations

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
    if any(code not in MENDED for code in errors_of(report)):
        return StartOutcome.NOTHING
    if resolution is None:
        return StartOutcome.DENIZEN if report.is_emulated and report.stands_alone else StartOutcome.PERHAPS
    stopped = resolution.interpreter is None or any(p.kind.stops_start for p in resolution.problems)
    return StartOutcome.NOTHING if stopped else StartOutcome.DENIZEN


def errors_of(report: Report) -> dict[str, Problem]:
    """Return the problems that stop the program, by their codes."""
    return {p.code: p for p in report.problems if p.severity.value == "error"}
