"""From what the user asked of an environment to its next generation."""

from __future__ import annotations

import time

from denizen.app.paths import paths_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.cli.command import Context
    from denizen.fhs.create import Workshop
    from denizen.fhs.generations import Generation, Settings
    from denizen.fhs.package_closure import EnvironmentPackage
    from denizen.index.locate import Index
    from denizen.resolve.resolution import Pin
    from denizen.sources.fetcher import FetchPolicy
    from denizen.store.local import Store


def plan(context: Context, settings: Settings, policy: FetchPolicy) -> tuple[EnvironmentPackage, ...]:
    """The packages an environment would have. Raises MissingPackages, SourceFailed."""
    from denizen.fhs.create import members_of

    return members_of(settings, _catalogues(context, settings, policy))


def create(context: Context, name: str, settings: Settings, policy: FetchPolicy) -> Generation:
    """Make the next generation of an environment, or find that there is nothing to change."""
    return create_from(context, name, settings, policy, None)[0]


def create_from(
    context: Context, name: str, settings: Settings, policy: FetchPolicy, pins: tuple[Pin, ...] | None
) -> tuple[Generation, tuple[Pin, ...]]:
    """The same from packages that are chosen; without, they are chosen. Tells them."""
    from denizen.app.store_access import made_store
    from denizen.fhs.create import make, members_of, pins_of
    from denizen.fhs.generations import EnvironmentStore, State

    shelf = EnvironmentStore(paths_of(context).state)
    shelf.directory(name)  # a bad name is told before anything is fetched
    if pins is None:
        catalogues = _catalogues(context, settings, policy)
        snapshots = {entry.suite: entry.identity for index in catalogues.values() for entry in index.entries}
        pins = pins_of(members_of(settings, catalogues), snapshots)
    with made_store(context) as store, store.working() as work:
        made = make(_workshop(context, store, policy), pins, settings)
        work.need([made.tree])
        state = State(made.tree, int(time.time()), settings, made.parts)
        return shelf.add(name, store.layout, state), pins


def _workshop(context: Context, store: Store, policy: FetchPolicy) -> Workshop:
    from denizen.app.decoder_setup import bring_decoder
    from denizen.app.factories import supply_of, tools_of
    from denizen.fhs.compose import Means
    from denizen.fhs.create import Workshop

    bring_decoder(context)
    controls = paths_of(context).cache + b"/controls"
    return Workshop(store, supply_of(context, policy), controls, Means(tools_of(context).enter()))


def _catalogues(context: Context, settings: Settings, policy: FetchPolicy) -> dict[str, Index]:
    """The indexes, of one suite each: packages of several do not make one system."""
    from denizen.app.indexing import configured_settings, ensure
    from denizen.index.locate import Index
    from denizen.sources.base import Scope

    suites = settings.suites or _base_suites([one.suites for one in configured_settings(context)])
    found = {}
    for architecture in settings.architectures:
        ensure(context, suites, architecture, Scope.LIBRARIES, policy)
        found[architecture] = Index(paths_of(context).index, architecture, suites)
    return found


def _base_suites(suites: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The first suite of each source: its base."""
    return tuple(dict.fromkeys(some[0] for some in suites if some))
