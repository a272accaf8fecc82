"""Answers to what `run` would do with a program, of which nothing is carried out: `run --plan` and `why`."""

from __future__ import annotations

import os

from denizen.app.decisions.decision_maker import DecisionMaker
from denizen.app.start_request import no_such_program
from denizen.disk_view import DiskView
from denizen.launch.fast_path import decided
from denizen.launch.program import open_program
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.launch.resources.static_program_paths import LookedForFiles
    from denizen.launch.strategies.table import StrategyVerdict
    from denizen.resolve.resolution import Resolution


class StartPlan(Value):
    """A planned start, of which nothing is carried out.

    Attributes:
        resolution: the packages that would be fetched; None where the host has all that is needed.
        verdicts: every strategy with the obstacle to it.
        emulator: which one runs a program of another architecture, in words; "" for this machine's.
        files: what a static program looks for and this host lacks.
        unstarted: what a static program cannot start, in words; "" for nothing known.
    """

    resolution: Resolution | None
    verdicts: tuple[StrategyVerdict, ...]
    emulator: str = ""
    files: tuple[LookedForFiles, ...] = ()
    unstarted: str = ""


def plan_for(session: Session, program: bytes, wanted: RunRequest) -> StartPlan:
    """Return the packages and the strategy that `run` would use. Raises NoSuchProgram, CannotStart."""
    try:
        maker = DecisionMaker(session, open_program(DiskView(), program), wanted)
        maker.refuse_hopeless()
        verdicts = maker.verdicts()
        files, unstarted = maker.files(verdicts), maker.unstarted()
        return StartPlan(maker.planned(), verdicts, maker.emulator_words(), files, unstarted)
    except FileNotFoundError as problem:
        if os.path.exists(program):  # it is another file that is not there
            raise
        raise no_such_program(program, problem) from problem


class DryRun:
    """The answers to what `run` would do with one program, which is examined once, for the first of them.

    Every method raises OSError, SourceFailed, HostLacks.
    """

    def __init__(self, session: Session, program: bytes, *, offline: bool) -> None:
        """Answer for the program at an absolute path; with `offline` nothing is fetched."""
        self._session = session
        self._program = program
        self._offline = offline
        self._made: DecisionMaker | None = None

    def verdicts(self) -> tuple[StrategyVerdict, ...]:
        """Return the verdict of `run` on every strategy."""
        return self._maker().verdicts()

    def files(self, verdicts: Sequence[StrategyVerdict]) -> tuple[LookedForFiles, ...]:
        """Return what is done about files that a static program looks for, by the strategy that is chosen."""
        return self._maker().files(verdicts) if verdicts else ()

    def unstarted(self) -> str:
        """Return what a static program cannot start, in words; "" for nothing known."""
        return self._maker().unstarted()

    def improvement(self) -> Resolution | None:
        """Return packages with libraries that the program opens at run time and the host lacks, or None."""
        return self._maker().improvement()

    def emulator_words(self) -> str:
        """Return which emulator starts another architecture's program; "" for this machine's."""
        return self._maker().emulator_words()

    def variables(self) -> tuple[bytes, ...]:
        """Return the variables, as NAME=VALUE, that the kept decision gives the program where it has none."""
        from denizen.launch.strategies.file_variables import variables_in

        try:
            found = decided(self._session.paths.decisions, self._program)
        except OSError:
            return ()
        return () if found is None else variables_in(found)

    def _maker(self) -> DecisionMaker:
        if self._made is None:
            from denizen.app.start_request import RunRequest, for_program

            wanted = for_program(RunRequest(offline=self._offline), self._program)
            opened = open_program(DiskView(), self._program)
            self._made = DecisionMaker(self._session, opened, wanted)
        return self._made
