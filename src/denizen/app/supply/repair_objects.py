"""Repair of damaged objects of the store: from a copy in a binary cache, else made again from packages."""

from __future__ import annotations

from denizen.app.supply.package_supply import supply_of
from denizen.errors import DenizenError
from denizen.resolve.installation.remake_object import mend
from denizen.resolve.installation.resolution_derivations import NAME
from denizen.sources.fetch_policy import FetchPolicy
from denizen.store.binary_cache import replacement_from
from denizen.store.upkeep.verification import Fault, repair
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from denizen.app.session import Session
    from denizen.store.local import Store
    from denizen.store.upkeep.verification import StoreProblem


def repaired(
    session: Session, store: Store, problems: Iterable[StoreProblem], copies: bytes | None
) -> list[StoreProblem]:
    """Repair what can be; return the problems as they are afterwards.

    `copies` is the directory of a binary cache to take good copies from; None for none.
    """
    replacement = replacement_from(copies)
    return [_remade(session, store, repair(store, one, replacement)) for one in _packages_first(problems)]


def _packages_first(problems: Iterable[StoreProblem]) -> list[StoreProblem]:
    """Return the damaged objects with packages before the directories of links that are made from them."""
    return sorted(problems, key=lambda problem: problem.path is not None and problem.path.name == NAME)


def _remade(session: Session, store: Store, problem: StoreProblem) -> StoreProblem:
    """Repair an object that no copy repaired, from its package; return the problem as it is afterwards."""
    if problem.repaired or problem.path is None or problem.fault not in (Fault.CONTENT, Fault.MISSING):
        return problem
    try:
        mend(store, problem.path, supply_of(session, FetchPolicy()))
    except DenizenError as error:
        return replace(problem, detail=str(error))
    return replace(problem, repaired=True)
