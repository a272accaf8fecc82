"""Errors of a program that cannot be started by any strategy, and refusals of the kernel to any command."""

from __future__ import annotations

import os

from denizen.app.start_outcome import MENDED, errors_of
from denizen.disk import DENIED, FULL, LOCKLESS
from denizen.errors import EXIT_CANNOT_START, DenizenError, HostLacks, display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.diagnose.problem import Problem
    from denizen.diagnose.report import Report
    from denizen.resolve.resolution import Resolution


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


def refuse_hopeless(program: bytes, report: Report) -> None:
    """Raise CannotStart where the report holds an error that no other set of libraries mends."""
    hopeless = {code: problem for code, problem in errors_of(report).items() if code not in MENDED}
    if hopeless:
        raise CannotStart(program, tuple(hopeless.values()))


def refuse_unsatisfied(program: bytes, resolution: Resolution) -> None:
    """Raise Unsatisfied where packages lack something without which the program does not start."""
    from denizen.resolve.resolution_summary import sentence

    lacking = [problem for problem in resolution.problems if problem.kind.stops_start]
    if lacking:
        raise Unsatisfied(program, tuple(map(sentence, lacking)))


class WorkingDirectoryGone(HostLacks):
    """The error that the working directory was removed, so that a relative name means no file."""

    WHAT = "the working directory is no longer there"
    WHY = "another process removed it, and a relative name means nothing now"
    REMEDY = "cd to a directory that is there"


class NoThreads(HostLacks):
    """The error that the kernel starts no thread for denizen, which fetches and unpacks with several."""

    WHAT = "this host starts no further thread"
    WHY = (
        "a limit of processes is reached (ulimit -u, a control group), or a seccomp filter that is older "
        "than this Python's C library refuses clone3, as Docker's before 20.10.10 does"
    )
    REMEDY = "ulimit -u unlimited, or a newer container runtime"


def error_of(error: OSError) -> HostLacks:
    """Return the error to tell for one of the kernel's that no lower layer gave an error of its own."""
    if isinstance(error, FileNotFoundError) and error.filename is None:
        try:
            os.getcwd()
        except FileNotFoundError:
            return WorkingDirectoryGone()
    return StartRefused(error)


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
        if self.error.errno in LOCKLESS:
            return "--root DIR, on a file system that has locks: a disk of this machine"
        if self.error.errno in DENIED:
            from denizen.trust import user

            return f"you are {user(os.geteuid())}; --root DIR, for a directory of your own"
        return ""
