"""The strategies to start a program, in order of preference.

A strategy's obstacle is determined when its turn comes, because some cost a probe; the first strategy without
one ends the search. `why` and `run --plan` print the verdict on every strategy.
"""

from __future__ import annotations

from denizen.errors import EXIT_CANNOT_START, HostLacks
from denizen.launch.strategies.base import StrategyName
from denizen.launch.strategies.direct import DirectStrategy
from denizen.launch.strategies.emulated import EmulatedStrategy
from denizen.launch.strategies.fhs import FhsStrategy
from denizen.launch.strategies.host import HostStrategy
from denizen.launch.strategies.loader import LoaderStrategy
from denizen.launch.strategies.namespace import NamespaceStrategy
from denizen.launch.strategies.stub import StubStrategy
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from denizen.launch.strategies.base import ProgramStart, Strategy

# The order of docs/design.md: the least change and cost first. An environment comes before
# the strategies that bring only libraries, because it has an obstacle where those suffice.
STRATEGIES: tuple[Strategy, ...] = (
    HostStrategy(),
    FhsStrategy(),
    LoaderStrategy(),
    NamespaceStrategy(),
    StubStrategy(),
    DirectStrategy(),
    EmulatedStrategy(),
)


class CannotUse(HostLacks):
    """The error that a requested strategy cannot be used, or that none can.

    Attributes:
        program: the program's name, for people.
        wanted: the strategy's name; "" where none can be used.
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


class StrategyVerdict(Value):
    """The verdict on one strategy; `obstacle` is "" where it can be used."""

    strategy: Strategy
    obstacle: str


class StrategyChoice(Value):
    """The strategy to use, None for none, and the verdicts on it and on those before it."""

    strategy: Strategy | None
    verdicts: tuple[StrategyVerdict, ...]

    @property
    def obstacles(self) -> tuple[tuple[str, str], ...]:
        """The name of each strategy that cannot be used, with the reason."""
        return tuple((one.strategy.name.value, one.obstacle) for one in self.verdicts if one.obstacle)


def choose(
    start: ProgramStart, wanted: StrategyName | None = None, excluded: Collection[StrategyName] = ()
) -> StrategyChoice:
    """Return the first strategy without an obstacle; only `wanted` is considered if it is given."""
    verdicts: list[StrategyVerdict] = []
    for strategy in STRATEGIES:
        if (wanted is not None and strategy.name is not wanted) or strategy.name in excluded:
            continue
        verdicts.append(StrategyVerdict(strategy, _obstacle(strategy, start)))
        if not verdicts[-1].obstacle:
            return StrategyChoice(strategy, tuple(verdicts))
    return StrategyChoice(None, tuple(verdicts))


def all_verdicts(start: ProgramStart) -> tuple[StrategyVerdict, ...]:
    """Return the verdict on every strategy."""
    return tuple(StrategyVerdict(strategy, _obstacle(strategy, start)) for strategy in STRATEGIES)


def _obstacle(strategy: Strategy, start: ProgramStart) -> str:
    if start.findings.is_foreign and strategy.name is not StrategyName.EMULATED:
        return "it is built for another machine"
    return strategy.obstacle(start)
