"""Creation of environments: from the user's settings to the next generation."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.session import Session
    from denizen.fhs.generations import Generation, Settings
    from denizen.fhs.package_closure import EnvironmentPackage
    from denizen.fhs.tree_creation import CreationContext
    from denizen.formats.storepath import StorePath
    from denizen.index.locate import Index
    from denizen.resolve.resolution import Pin
    from denizen.sources.fetch_policy import FetchPolicy
    from denizen.store.local import Store


def plan(session: Session, settings: Settings, policy: FetchPolicy) -> tuple[EnvironmentPackage, ...]:
    """Return the packages that an environment would have. Raises MissingPackages, SourceFailed."""
    from denizen.fhs.tree_creation import members_of

    return members_of(settings, catalogues_of(session, settings, policy))


def size_to_fetch(session: Session, settings: Settings, policy: FetchPolicy) -> int:
    """Return the bytes of those of an environment's packages that are not in the store. Raises as `plan`."""
    from denizen.app.supply.package_supply import supply_of
    from denizen.app.supply.store_access import made_store
    from denizen.fhs.tree_creation import pins_of, to_fetch

    pins = pins_of(plan(session, settings, policy), {})
    with made_store(session) as store:
        return sum(pin.size for pin in to_fetch(store, supply_of(session, policy), pins))


def create(session: Session, name: str, settings: Settings, policy: FetchPolicy) -> Generation:
    """Return the environment's next generation, created now unless nothing has changed."""
    return create_from(session, name, settings, policy, None)[0]


def create_from(
    session: Session, name: str, settings: Settings, policy: FetchPolicy, pins: tuple[Pin, ...] | None
) -> tuple[Generation, tuple[Pin, ...]]:
    """Create the next generation from `pins`, or from newly chosen packages where it is None.

    Return the generation and the pins.
    """
    from denizen.app.supply.store_access import made_store
    from denizen.fhs.generations import EnvironmentStore, State
    from denizen.fhs.tree_creation import make, members_of, pins_of

    environments = EnvironmentStore(session.paths.state)
    environments.directory(name)  # a bad name is told before anything is fetched
    if pins is None:
        catalogues = catalogues_of(session, settings, policy)
        snapshots = {suite: one for index in catalogues.values() for suite, one in index.snapshots.items()}
        pins = pins_of(members_of(settings, catalogues), snapshots)
    with made_store(session) as store, store.working() as work:
        made = make(creation_context(session, store, policy), pins, settings)
        work.need([made.tree])
        state = State(made.tree, int(time.time()), settings, made.parts)
        return environments.add(name, store.layout, state), pins


def composed(
    session: Session, settings: Settings, policy: FetchPolicy, pins: Sequence[Pin]
) -> tuple[StorePath, tuple[Pin, ...]]:
    """Return a tree of these packages and the base set, and all its packages.

    It is an environment without a name: nothing but the caller's work keeps it.
    """
    from denizen.fhs.tree_creation import members_of, pins_of

    named = {pin.name for pin in pins}
    base = pins_of(members_of(settings, catalogues_of(session, settings, policy)), {})
    every = (*pins, *(pin for pin in base if pin.name not in named))
    return composed_of(session, settings, policy, every), every


def composed_of(session: Session, settings: Settings, policy: FetchPolicy, pins: Sequence[Pin]) -> StorePath:
    """Return a tree of exactly these packages; nothing but the caller's work keeps it."""
    from denizen.app.supply.store_access import made_store
    from denizen.fhs.tree_creation import make

    with made_store(session) as store:
        return make(creation_context(session, store, policy), pins, settings).tree


def creation_context(session: Session, store: Store, policy: FetchPolicy) -> CreationContext:
    """Return the means to make environments. Raises SourceFailed."""
    from denizen.app.session import tools_of
    from denizen.app.supply.liblzma_setup import bring_decoder
    from denizen.app.supply.package_supply import supply_of
    from denizen.fhs.tree_creation import CreationContext
    from denizen.fhs.trigger_runs import CompositionTools

    bring_decoder(session)
    controls = session.paths.cache + b"/controls"
    return CreationContext(
        store, supply_of(session, policy), controls, CompositionTools(tools_of(session).enter())
    )


def catalogues_of(session: Session, settings: Settings, policy: FetchPolicy) -> dict[str, Index]:
    """Return for each architecture an index of the base suites alone.

    Packages of several suites do not make one system.
    """
    from denizen.app.supply.configured_sources import configured_settings
    from denizen.app.supply.ensure_index import ensure
    from denizen.app.supply.open_index import open_index
    from denizen.sources.base import Scope

    suites = settings.suites or _base_suites([one.suites for one in configured_settings(session)])
    found = {}
    for architecture in settings.architectures:
        ensure(session, suites, architecture, Scope.LIBRARIES, policy)
        found[architecture] = open_index(session, architecture, suites)
    return found


def _base_suites(suites: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the first suite of each source, which is its base."""
    return tuple(dict.fromkeys(some[0] for some in suites if some))
