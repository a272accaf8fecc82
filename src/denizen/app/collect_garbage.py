"""Collection of garbage: `denizen gc` deletes what no root, process or operation in progress needs.

First what only programs, projects and builds of the past needed loses its roots; then the store is collected;
then logs, the cache and unpacked bundles.
"""

from __future__ import annotations

import time

from denizen.app.retention import MISSING_FOR, UNUSED_FOR
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from denizen.app.session import Session
    from denizen.store.collection.cache_eviction import TrimmedEntries
    from denizen.store.collection.collector import Collected
    from denizen.store.local import Store


class GarbageRequest(Value):
    """A request to collect garbage.

    Attributes:
        max_freed: bytes after which the collection of the store stops; None for no limit.
        unused_for: seconds; the store's objects and the cache's entries that are younger stay, and what
            `retention` has a time for goes after this one. None: objects of any age, the cache untouched.
        missing_for: seconds for which what is about a missing program or project is kept.
        dry: delete nothing.
    """

    max_freed: int | None = None
    unused_for: int | None = None
    missing_for: int = MISSING_FOR
    dry: bool = False


class CollectedGarbage(Value):
    """The things that a collection deleted, or would delete.

    Attributes:
        directory: the store's.
        objects: of the store.
        cache: packages and facts of the cache.
        bundles: unpacked bundles.
        logs: the number of logs of builds.
    """

    directory: bytes
    objects: Collected
    cache: TrimmedEntries
    bundles: TrimmedEntries
    logs: int


def collect_garbage(
    session: Session, request: GarbageRequest, advance: Callable[[int], None]
) -> CollectedGarbage:
    """Collect garbage, and report what is forgotten; `advance` is told of objects that are deleted.

    Raises NoStore, DiskFailed, ProcessUnreadable and what the collector raises.
    """
    from denizen.app.builds.unused_logs import prune_logs
    from denizen.app.bundles.unpacked_bundles import collect_unpacked
    from denizen.app.supply.store_access import open_store
    from denizen.store.collection.cache_eviction import TrimmedEntries, trim
    from denizen.store.collection.collector import collect, plan
    from denizen.store.collection.deletion_order import Limits

    before = int(time.time()) - request.unused_for if request.unused_for is not None else None
    unused_for = UNUSED_FOR if request.unused_for is None else request.unused_for
    limits = Limits(request.max_freed, before)
    logs = 0
    with open_store(session) as store:
        if request.dry:
            objects = plan(store, limits)
        else:
            _forget(session, store, request.missing_for, unused_for)
            objects = collect(store, limits, advance)
            logs = prune_logs(store, unused_for)
        directory = store.layout.physical
    cache = TrimmedEntries(0, 0)
    if before is not None:
        cache = trim(session.paths.disposable, before, keep=request.dry)
    bundles = collect_unpacked(session, unused_for, keep=request.dry)
    return CollectedGarbage(directory, objects, cache, bundles, logs)


def _forget(session: Session, store: Store, missing_for: int, unused_for: int) -> None:
    """Delete the decisions about programs that are gone, and the environments that were made for them."""
    from denizen.app.profiles.unused_commands import forget_commands
    from denizen.launch.decisions.decision_store import decision_stores
    from denizen.launch.decisions.expiry import expire
    from denizen.launch.fast_path import INSTALLED
    from denizen.store.errors import doing

    decisions = session.paths.decisions
    with doing("forget decisions in", decisions):
        apart = [one for one in decision_stores(decisions) if not one.name.startswith(INSTALLED)]
        done = expire(apart, store.layout, missing_for)
        forget_commands(session, store, unused_for)
    say = session.reporter.say
    if done.dropped:
        say(f"{done.dropped} decisions forgotten: their programs are gone")
    if done.running:
        say(f"{done.running} decisions kept: their programs' files are gone, and libraries in use")
    if done.waiting:
        words = "their programs are missing, perhaps on a disk that is not mounted"
        say(f"{done.waiting} decisions kept for {_days(missing_for)}: {words}; --grace 0d forgets them now")
    _forget_environments(session, store, missing_for, unused_for)


def _forget_environments(session: Session, store: Store, missing_for: int, unused_for: int) -> None:
    """Delete the environments that denizen made for programs and builds, and that nothing uses any more."""
    from denizen.app.environments.auto_environment import drop_unused
    from denizen.app.recipes.build_environments import drop_unused_build_environments
    from denizen.app.recipes.shell_directories import drop_unused_shells

    say = session.reporter.say
    unused = drop_unused(session, store)
    if unused:
        say(f"{unused} environments forgotten: no program is started in them any more")
    shells = drop_unused_shells(session, store, unused_for, missing_for)
    if shells:
        words = f"their projects are gone, or they were not used for {_days(unused_for)}"
        say(f"{shells} directories of shells deleted: {words}")
    builds = drop_unused_build_environments(session, store, unused_for)
    if builds:
        say(f"{builds} environments of builds forgotten: nothing was built in them for {_days(unused_for)}")


def _days(seconds: int) -> str:
    return f"{seconds / 86400:g} days" if seconds != 86400 else "a day"
