"""Return of an environment to an earlier generation."""

from __future__ import annotations

from denizen.app.environments.fhs_enter import write_launcher
from denizen.fhs.generations import EnvironmentStore, NoGeneration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session


def rollback(session: Session, name: str, wanted: int | None) -> int:
    """Make generation `wanted`, or the one before the current, the current one; return its number.

    Raises NoEnvironment, NoGeneration.
    """
    environments = EnvironmentStore(session.paths.state)
    current, numbers = environments.current(name).number, environments.numbers(name)
    earlier = [number for number in numbers if number < current]
    if wanted is None and not earlier:
        raise NoGeneration(name, current - 1, tuple(numbers))
    number = wanted if wanted is not None else earlier[-1]
    environments.switch(name, number)
    write_launcher(session, name, environments.current(name))
    return number
