"""Garbage collection: a plan made of integers, and the dull execution of it.

Execution, under the store's lock: read all roots, mark, forget the dead in the database (durably), rename
their trees to temporary names of this session, remove their sidecars. Without the lock: unlink. Killed
between any two of these, the store is whole: a tree still in place but forgotten is an unregistered
object, which the next collection takes; a renamed tree belongs to a dead session, which the next
collection takes too.

Works with a full disk: the reserve is unlinked before the database is opened, what died sessions left is
unlinked first, and renaming and unlinking need no space. Works without a reserve too (`_forget`).
"""

from __future__ import annotations

import contextlib
import os

from denizen.formats import storepath
from denizen.formats.storepath import BadStorePath, from_base
from denizen.store.collection.gc_roots import find_roots, remove_stale
from denizen.store.collection.graph import path_to, reachable, referrers_first
from denizen.store.collection.remove import remove_tree
from denizen.store.collection.trash import Trash
from denizen.store.database import DatabaseFailed, path_of
from denizen.store.errors import doing, is_full
from denizen.store.layout import TEMPORARY
from denizen.store.local import make_reserve, release_reserve
from denizen.store.locks import StoreSession, live_sessions, store_lock, temporary_prefix
from denizen.store.optimise import prune_links
from denizen.store.progress import ignore
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from denizen.formats.storepath import StorePath
    from denizen.store.collection.gc_roots import GcRoots, Root
    from denizen.store.collection.graph import Graph
    from denizen.store.database import ObjectCensus
    from denizen.store.local import Store
    from denizen.store.progress import Told

_TEMPORARY = os.fsdecode(TEMPORARY)


@value
class Limits:
    """How much of what is dead to delete.

    Attributes:
        max_freed: stop once so many bytes (of NAR size) are gone; None for no limit.
        registered_before: only objects registered before this time, in seconds since 1970.
    """

    max_freed: int | None = None
    registered_before: int | None = None


@value
class Collected:
    """What a collection did, or would do.

    Attributes:
        names: of the objects, referrers before what they reference.
        nar_bytes: their size as archives.
        freed: bytes of disk given back; 0 for a dry run.
        strays: names in the store directory that were no valid object and are gone: what killed
            operations left.
        alive: how many valid objects stay.
        unseen: processes of other users that could not be looked into.
    """

    names: tuple[str, ...]
    nar_bytes: int
    freed: int
    strays: int
    alive: int
    unseen: int

    @property
    def deleted(self) -> tuple[StorePath, ...]:
        """The objects as paths; made when asked, for 20,000 take 40 ms."""
        return tuple([path_of(name) for name in self.names])


def choose(
    graph: Graph,
    live: Iterable[int],
    *,
    sizes: Mapping[int, int],
    registered: Mapping[int, int],
    limits: Limits,
) -> tuple[int, ...]:
    """Which objects to delete, referrers first and among those the oldest first (pure).

    What is too young to go keeps what it references, whatever that one's age.
    """
    kept = set(live)
    if limits.registered_before is not None:
        kept |= {node for node in graph.nodes if registered[node] >= limits.registered_before}
    dead = graph.nodes - reachable(graph.references, kept & graph.nodes)
    order = referrers_first(graph, dead, key=registered.__getitem__)
    if limits.max_freed is None:
        return order
    chosen: set[int] = set()
    freed = 0
    for node in order:
        if freed >= limits.max_freed:
            break
        chosen.add(node)
        freed += sizes[node]
    # Only on a cycle, which a damaged database may hold, does an object come before all that mention it.
    whole = reachable(graph.referrers(), chosen)
    return tuple(node for node in order if node in whole)


def explain(store: Store) -> list[tuple[Root, StorePath]]:
    """Every root with the object it keeps. Raises as `collect`."""
    census = store.database.census()
    by_digest = _by_digest(census)
    with store.locked():
        roots = _roots(store, by_digest.keys())
    return [(root, path_of(census.paths[by_digest[root.digest]])) for root in roots.found]


def why_alive(store: Store, path: StorePath) -> list[tuple[Root, tuple[StorePath, ...]]]:
    """For each root that keeps `path`, a shortest chain of references from what it names to `path`.

    Raises NotValid, and as `collect`.
    """
    store.info(path)
    census = store.database.census()
    by_digest = _by_digest(census)
    with store.locked():
        roots = _roots(store, by_digest.keys())
    goal = by_digest[path.digest.encode("ascii")]
    chains = [
        (root, path_to(census.graph.references, [by_digest[root.digest]], goal)) for root in roots.found
    ]
    return [(root, tuple(path_of(census.paths[node]) for node in chain)) for root, chain in chains if chain]


def plan(store: Store, limits: Limits) -> Collected:
    """What `collect` would do now; nothing is changed. Raises as `collect`."""
    with doing("look for garbage in", store.layout.physical), store.locked():
        found = _look(store, limits)
    return _report(found, freed=0)


def collect(store: Store, limits: Limits, told: Told = ignore) -> Collected:
    """Delete what nothing needs; `told` hears of trees that are gone.

    Raises:
        RootUnreadable, ProcessUnreadable: what is needed cannot be known; nothing was deleted.
        DiskFailed, DatabaseFailed: the file system refused something; the store is whole.
    """
    layout = store.layout
    with doing("collect garbage in", layout.physical), contextlib.ExitStack() as stack:
        stack.callback(make_reserve, layout)
        release_reserve(layout)
        directory = stack.enter_context(_directory(layout.physical))
        info = stack.enter_context(_directory(layout.info))
        freed = _remove_leftovers(store)
        session = StoreSession(layout)
        stack.callback(session.close)
        with store.locked():
            found = _look(store, limits)
            # First, so that nothing takes the space which the database needs for that.
            freed += _forget(store, directory, found)
            trash = stack.enter_context(Trash(directory, session, found.count, found.nar_bytes))
            _take_away(store, trash, info, found)
        freed += trash.empty(told)
        freed += prune_links(layout)
    return _report(found, freed=freed)


@value
class _Found:
    """What a look at the store came to."""

    census: ObjectCensus
    roots: GcRoots
    dead: tuple[int, ...]
    strays: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many trees are to go."""
        return len(self.dead) + len(self.strays)

    @property
    def nar_bytes(self) -> int:
        """The size of what is dead as archives."""
        return sum([self.census.sizes[node] for node in self.dead])


def _look(store: Store, limits: Limits) -> _Found:
    """Read everything, decide everything. The store's lock is held."""
    census = store.database.census()
    by_digest = _by_digest(census)
    present = set(os.listdir(os.fsdecode(store.layout.physical)))
    strays = sorted(filter(_is_object, present.difference(census.paths.values())))
    roots = _roots(store, by_digest.keys() | {_digest(name) for name in strays})
    live = [by_digest[digest] for digest in roots.digests if digest in by_digest]
    dead = choose(census.graph, live, sizes=census.sizes, registered=census.registered, limits=limits)
    kept = roots.digests
    return _Found(census, roots, dead, tuple(name for name in strays if _digest(name) not in kept))


def _forget(store: Store, directory: int, found: _Found) -> int:
    """Forget the dead in the database; bytes that had to be freed for it to write. The store's lock is held.

    A disk may be full to the last block, and the reserve gone. Then dead trees are unlinked where they are,
    the largest first, until the log has room. Killed meanwhile, objects are registered that are not there:
    `need` takes those for not valid, and the next collection for dead.
    """
    sizes, paths = found.census.sizes, found.census.paths
    going = [*found.strays, *(paths[node] for node in sorted(found.dead, key=lambda node: -sizes[node]))]
    freed = 0
    for name in [*going, None]:
        try:
            store.database.forget(found.dead)
        except DatabaseFailed:
            if name is None or not is_full(store.layout.physical):
                raise
        else:
            break
        freed += remove_tree(directory, os.fsencode(name)) or prune_links(store.layout)
    return freed


def _take_away(store: Store, trash: Trash, info: int, found: _Found) -> None:
    """Rename away what has been forgotten. The store's lock is held."""
    remove_stale(found.roots.stale)
    names = [*(found.census.paths[node] for node in found.dead), *found.strays]
    staying = set(found.census.paths.values()).difference(names)
    trash.fill([os.fsencode(name) for name in names], info, _sidecars(store, staying))


def _sidecars(store: Store, but: Collection[str]) -> list[bytes]:
    """The sidecars of all objects but these, whether or not they have one."""
    names = os.listdir(os.fsdecode(store.layout.info))
    return [os.fsencode(name) for name in names if name not in but and not name.startswith(_TEMPORARY)]


@contextlib.contextmanager
def _directory(path: bytes) -> Iterator[int]:
    """A descriptor of a directory."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _remove_leftovers(store: Store) -> int:
    """Unlink what sessions that died left under temporary names; the bytes that frees. Needs no database."""
    with store_lock(store.layout):
        prefixes = tuple(temporary_prefix(token) for token in live_sessions(store.layout))
        leftovers = [
            (parent, name)
            for parent in (store.layout.physical, store.layout.info)
            for name in os.listdir(parent)
            if name.startswith(TEMPORARY) and not name.startswith(prefixes)
        ]
    # Without the lock: a session that died does not come back.
    freed = 0
    for parent, name in leftovers:
        with _directory(parent) as descriptor:
            freed += remove_tree(descriptor, name)
    return freed


def _is_object(name: str) -> bool:
    """Whether a name in the store directory is that of an object, registered or not."""
    try:
        from_base(name)
    except BadStorePath:
        return False
    return True


def _digest(path: str) -> bytes:
    return path[: storepath.DIGEST_DIGITS].encode("ascii")


def _by_digest(census: ObjectCensus) -> dict[bytes, int]:
    # Not `_digest`: calling it 20,000 times takes as long as all of this.
    return {path[: storepath.DIGEST_DIGITS].encode("ascii"): node for node, path in census.paths.items()}


def _roots(store: Store, digests: AbstractSet[bytes]) -> GcRoots:
    sessions = live_sessions(store.layout)
    needed = {token: [_digest(path) for path in paths] for token, paths in sessions.items()}
    return find_roots(store.layout, digests, needed)


def _report(found: _Found, *, freed: int) -> Collected:
    paths = found.census.paths
    return Collected(
        names=tuple([paths[node] for node in found.dead]),
        nar_bytes=found.nar_bytes,
        freed=freed,
        strays=len(found.strays),
        alive=len(paths) - len(found.dead),
        unseen=found.roots.unseen,
    )
