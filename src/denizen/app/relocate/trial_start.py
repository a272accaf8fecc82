"""A start of a patched program for trial, in a sandbox: nothing can be written, and there is no network.

Only where the user asks for it: all else that denizen does to a program executes none of its code. The
original is started in the same way first, since a program may not know `--help`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile

from denizen.app.session import tools_of
from denizen.errors import EXIT_NOT_FOUND, BadInput, HostLacks
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session

# Seconds.
_PATIENCE = 20
# `denizen-enter` tells so that an operation failed, or that the program cannot be executed.
_REFUSED, _NOT_STARTED = b"o", b"x"


class NoTrial(HostLacks):
    """The error that this machine allows no sandbox."""

    said: bytes
    WHAT = "the program cannot be tried in a sandbox"
    WHY = "{said}"
    REMEDY = "denizen doctor; or leave out --try"


class TrialFailed(BadInput):
    """The error that the patched program does not start, or dies, where the original does not."""

    path: bytes
    ending: str
    said: bytes
    WHAT = "the patched {path} {ending:text}, and was not written"
    WHY = "{said}"
    REMEDY = "leave out --try to write it all the same"


class TrialEnd(Value):
    """The end of a trial.

    Attributes:
        status: the exit status, negative for a signal; None where it was ended after a while.
        said: its diagnostics.
        started: the kernel started it.
    """

    status: int | None
    said: bytes
    started: bool = True

    @property
    def failure(self) -> str:
        """The failure in words; "" if the program started and ended by itself, or went on."""
        if not self.started:
            return "does not start"
        if self.status is not None and self.status < 0:
            return f"dies of {signal.Signals(-self.status).name}"
        # ld.so ends so where it cannot load the program.
        return "does not start" if self.status == EXIT_NOT_FOUND else ""


def tried(session: Session, path: bytes) -> TrialEnd:
    """Return how a program ends that is started with `--help` in a sandbox.

    Raises LoaderAbsent, NoTrial: no sandbox can be made.
    """
    enter = tools_of(session).enter()
    told, telling = os.pipe()
    with open(told, "rb") as end, tempfile.TemporaryDirectory(prefix="denizen-trial-") as stage:
        try:
            said = _run(
                [enter, b"status", b"%d" % telling, *_sandbox(os.fsencode(stage)), b"--", path], telling
            )
        finally:
            os.close(telling)
        if said is None:
            return TrialEnd(None, b"")
        ending = end.read().strip()
    if not ending or ending.startswith(_REFUSED):
        raise NoTrial(said.strip())
    if ending.startswith(_NOT_STARTED):
        return TrialEnd(None, said, started=False)
    return TrialEnd(os.waitstatus_to_exitcode(int(ending)), said)


def _run(words: list[bytes], telling: int) -> bytes | None:
    """Return the diagnostics; None where it was ended after a while."""
    try:
        done = subprocess.run(
            [*words, b"--help"],
            env={"PATH": "/usr/bin:/bin", "HOME": "/", "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
            pass_fds=(telling,),
        )
    except subprocess.TimeoutExpired:
        return None
    return done.stderr


def check_trial(path: bytes, before: TrialEnd, after: TrialEnd, tried_at: bytes = b"") -> None:
    """Return if the patched program ends as the original did, or better.

    `tried_at`: the path by which it was started, for which its own is said. Raises TrialFailed.
    """
    if after.failure and after.failure != before.failure:
        said = after.said.replace(tried_at, path) if tried_at else after.said
        raise TrialFailed(path, after.failure, said[-300:].strip())


def _sandbox(stage: bytes) -> tuple[bytes, ...]:
    """Return the operations of `denizen-enter`: this machine's files, read-only, and nobody else."""
    return (
        b"isolate", b"%d" % os.geteuid(), b"%d" % os.getegid(), b"no-cgroups", b"offline", b"loopback",
        b"names", b"localhost", b"show", b"/", stage, b"mount", b"proc", b"", stage + b"/proc",
        b"root", stage, b"chdir", b"/", b"weaken",
    )  # fmt: skip
