"""The ways to start a program, in order of preference, each with what may stand against it (pure).

    choose(situation, wanted=None, excluded=frozenset()) -> Choice

Facts are asked for when a row needs them, because some cost a probe: a row that would do ends the search.
`why` and `doctor` print every row's verdict.
"""

from __future__ import annotations

from enum import Enum

from denizen.errors import EXIT_CANNOT_START, HostLacks
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection


class Strategy(Enum):
    """How a program is started; the words of --strategy."""

    HOST = "host"
    LOADER = "loader"
    NAMESPACE = "namespace"
    STUB = "stub"
    PROGRAM = "program"
    FHS = "fhs"


class CannotUse(HostLacks):
    """A strategy that was asked for cannot be used, or none can.

    Attributes:
        wanted: its name; "" where none can.
        obstacles: (strategy, reason) of all that were considered.
    """

    exit_status = EXIT_CANNOT_START
    program: str
    wanted: str
    obstacles: tuple[tuple[str, str], ...]

    @property
    def what(self) -> str:
        if self.wanted:
            return f"{self.program} cannot be started by the strategy {self.wanted}"
        return f"there is no way to start {self.program} on this host"

    @property
    def why(self) -> str:
        if self.wanted:
            return self.obstacles[0][1] if self.obstacles else "this kind of program is not started by it"
        return "\n".join(f"{name}: {reason}" for name, reason in self.obstacles)

    @property
    def remedy(self) -> str:
        return "leave out --strategy" if self.wanted else "denizen doctor tells what this host allows"


@value
class Situation:
    """What the choice depends on; each gives "" or the reason against a strategy.

    Attributes:
        host: against simply executing it: what the host lacks, or that it was asked to be hermetic.
        fhs: against a whole /usr around it: that nothing is wanted which only that has.
        loader: against relying on the interpreter's path: no loader of ours is installed there.
        namespace: against a mount namespace: what the probe met.
        stub: against a patched copy.
        program: against mapping it by the loader run as a program.
    """

    host: Callable[[], str]
    fhs: Callable[[], str]
    loader: Callable[[], str]
    namespace: Callable[[], str]
    stub: Callable[[], str]
    program: Callable[[], str]


@value
class StrategyRow:
    """One strategy: `title` follows its name."""

    strategy: Strategy
    title: str
    obstacle: Callable[[Situation], str]


# The order is docs/design.md's: what changes least and costs least first. An environment comes before
# the ways that bring libraries alone, because it stands against itself where those suffice.
STRATEGIES: tuple[StrategyRow, ...] = (
    StrategyRow(Strategy.HOST, "this host has all it needs: just execute it", lambda s: s.host()),
    StrategyRow(Strategy.FHS, "a whole /usr composed from packages around it", lambda s: s.fhs()),
    StrategyRow(Strategy.LOADER, "the installed loader is its interpreter", lambda s: s.loader()),
    StrategyRow(Strategy.NAMESPACE, "the loader bound over its interpreter's path", lambda s: s.namespace()),
    StrategyRow(Strategy.STUB, "a patched copy that loads the loader", lambda s: s.stub()),
    StrategyRow(Strategy.PROGRAM, "the loader run as a program maps it", lambda s: s.program()),
)


@value
class StrategyVerdict:
    """What was found of one strategy; `obstacle` is "" where it would do."""

    row: StrategyRow
    obstacle: str


@value
class StrategyChoice:
    """The strategy to use and what was found of those before it; None: none will do."""

    strategy: Strategy | None
    verdicts: tuple[StrategyVerdict, ...]

    @property
    def obstacles(self) -> tuple[tuple[str, str], ...]:
        """What stood against each."""
        return tuple(
            (verdict.row.strategy.value, verdict.obstacle) for verdict in self.verdicts if verdict.obstacle
        )


def choose(
    situation: Situation, wanted: Strategy | None = None, excluded: Collection[Strategy] = ()
) -> StrategyChoice:
    """The first strategy nothing stands against; only `wanted` is considered where it is given."""
    verdicts: list[StrategyVerdict] = []
    for row in STRATEGIES:
        if (wanted is not None and row.strategy is not wanted) or row.strategy in excluded:
            continue
        verdicts.append(StrategyVerdict(row, row.obstacle(situation)))
        if not verdicts[-1].obstacle:
            return StrategyChoice(row.strategy, tuple(verdicts))
    return StrategyChoice(None, tuple(verdicts))


def all_verdicts(situation: Situation) -> tuple[StrategyVerdict, ...]:
    """Every row's."""
    return tuple(StrategyVerdict(row, row.obstacle(situation)) for row in STRATEGIES)
