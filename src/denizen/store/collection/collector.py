"""Garbage collection: choose the dead objects, then delete them.

Deletion, under the store's lock: read all roots, mark, delete the dead from the database (durably), rename
their trees to temporary names of this session, remove their sidecars. Without the lock: unlink. If the
process is killed between any two of these steps, the store is consistent: a tree still in place but not
in the database is an unregistered object, and a renamed tree belongs to a dead session; the next
collection deletes both.

Works with a full disk: the reserve is unlinked before the database is opened, the temporary trees of dead
sessions are unlinked first, and renaming and unlinking need no space. `_forget` works without a reserve.
"""

from __future__ import annotations

import contextlib
import os

from denizen.formats import storepath
from denizen.formats.storepath import BadStorePath, from_base
from denizen.store.collection.deletion_order import choose
from denizen.store.collection.gc_roots import remove_stale
from denizen.store.collection.graph import path_to
from denizen.store.collection.remove import remove_tree
from denizen.store.collection.reserve import make_reserve, release_reserve
from denizen.store.collection.root_search import find_roots
from denizen.store.collection.trash import Trash
from denizen.store.database import path_of
from denizen.store.database_file import DatabaseFailed
from denizen.store.errors import doing
from denizen.store.layout import TEMPORARY
from denizen.store.locks import StoreSession, live_sessions, store_lock, temporary_prefix
from denizen.store.progress import ignore
from denizen.store.realisations import prune_realisations
from denizen.store.upkeep.optimise import prune_links
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from collections.abc import Set as AbstractSet

    from denizen.formats.storepath import StorePath
    from denizen.store.collection.deletion_order import Limits
    from denizen.store.collection.object_census import ObjectCensus
    from denizen.store.collection.root_search import GcRoots, Root
    from denizen.store.local import Store
    from denizen.store.progress import Told

_TEMPORARY = os.fsdecode(TEMPORARY)


class Collected(Value):
    """The result of a collection, or of a dry run.

    Attributes:
        names: base names of the deleted objects, referrers before what they reference.
        nar_bytes: sum of their NAR sizes.
        freed: bytes of disk freed; 0 for a dry run.
        strays: number of unregistered objects deleted, which killed operations left.
        alive: number of valid objects that stay.
        unseen: number of other users' processes that could not be inspected.
    """

    names: tuple[str, ...]
    nar_bytes: int
    freed: int
    strays: int
    alive: int
    unseen: int

    @property
    def deleted(self) -> tuple[StorePath, ...]:
        """The deleted objects as paths; computed on demand, for 20,000 take 40 ms."""
        return tuple([path_of(name) for name in self.names])


def explain(store: Store) -> list[tuple[Root, StorePath]]:
    """Return every root with the object it keeps. Raises as `collect`."""
    census = store.database.census()
    by_digest = _by_digest(census)
    with store.locked():
        roots = _roots(store, by_digest.keys())
    return [(root, path_of(census.paths[by_digest[root.digest]])) for root in roots.found]


def why_alive(store: Store, path: StorePath) -> list[tuple[Root, tuple[StorePath, ...]]]:
    """Return each root that keeps `path`, with a shortest chain of references from the root's object to it.

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
    """Return what `collect` would do now; nothing is changed. Raises as `collect`."""
    with doing("look for garbage in", store.layout.physical), store.locked():
        found = _look(store, limits)
    return _report(found, freed=0)


def collect(store: Store, limits: Limits, told: Told = ignore) -> Collected:
    """Delete the objects that no root keeps.

    `told` is called with the number of trees deleted since the last call.

    Raises:
        RootUnreadable, ProcessUnreadable: the objects still needed cannot be determined; nothing was deleted.
        DiskFailed, DatabaseFailed: the file system refused something; the store is consistent.
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
            # First, so that no directory of the trash takes the space the database needs.
            freed += _forget(store, directory, found)
            trash = stack.enter_context(Trash(directory, session, found.count, found.nar_bytes))
            _take_away(store, trash, info, found)
        freed += trash.empty(told)
        freed += prune_links(layout)
        prune_realisations(layout)
    return _report(found, freed=freed)


class _Found(Value):
    """The census, the roots, and what is to be deleted: dead objects and strays."""

    census: ObjectCensus
    roots: GcRoots
    dead: tuple[int, ...]
    strays: tuple[str, ...]

    @property
    def count(self) -> int:
        """The number of trees to delete."""
        return len(self.dead) + len(self.strays)

    @property
    def nar_bytes(self) -> int:
        """The sum of the dead objects' NAR sizes."""
        return sum([self.census.sizes[node] for node in self.dead])


def _look(store: Store, limits: Limits) -> _Found:
    """Read the database, the store directory and the roots, and choose what to delete.

    The caller holds the store's lock.
    """
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
    """Delete the dead from the database; return the bytes freed to give it room. The store's lock is held.

    The disk may be full to the last block, and the reserve gone. Then dead trees are unlinked where they are,
    the largest first, until the database can write its log. If the process is killed meanwhile, registered
    objects are absent: `need` does not return those as valid, and the next collection deletes them.
    """
    sizes, paths = found.census.sizes, found.census.paths
    going = [*found.strays, *(paths[node] for node in sorted(found.dead, key=lambda node: -sizes[node]))]
    freed = 0
    for name in [*going, None]:
        try:
            store.database.forget(found.dead)
        except DatabaseFailed as problem:
            if name is None or not problem.lacks_room:
                raise
        else:
            break
        freed += remove_tree(directory, os.fsencode(name)) or prune_links(store.layout)
    return freed


def _take_away(store: Store, trash: Trash, info: int, found: _Found) -> None:
    """Rename away the trees deleted from the database, and remove their sidecars.

    The store's lock is held.
    """
    remove_stale(found.roots.stale)
    names = [*(found.census.paths[node] for node in found.dead), *found.strays]
    staying = set(found.census.paths.values()).difference(names)
    trash.fill([os.fsencode(name) for name in names], info, _sidecars(store, staying))


def _sidecars(store: Store, but: Collection[str]) -> list[bytes]:
    """Return the names in the sidecar directory, without temporary ones and those in `but`."""
    names = os.listdir(os.fsdecode(store.layout.info))
    return [os.fsencode(name) for name in names if name not in but and not name.startswith(_TEMPORARY)]


@contextlib.contextmanager
def _directory(path: bytes) -> Iterator[int]:
    """Yield a descriptor of a directory."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _remove_leftovers(store: Store) -> int:
    """Unlink the temporary trees of dead sessions; return the bytes freed. Needs no database."""
    with store_lock(store.layout):
        prefixes = tuple(temporary_prefix(token) for token in live_sessions(store.layout))
        leftovers = [
            (parent, name)
            for parent in (store.layout.physical, store.layout.info)
            for name in os.listdir(parent)
            if name.startswith(TEMPORARY) and not name.startswith(prefixes)
        ]
    # Without the lock: a dead session cannot become alive again.
    freed = 0
    for parent, name in leftovers:
        with _directory(parent) as descriptor:
            freed += remove_tree(descriptor, name)
    return freed


def _is_object(name: str) -> bool:
    """Return whether a name in the store directory is an object's, registered or not."""
    try:
        from_base(name)
    except BadStorePath:
        return False
    return True


def _digest(path: str) -> bytes:
    return path[: storepath.DIGEST_DIGITS].encode("ascii")


def _by_digest(census: ObjectCensus) -> dict[bytes, int]:
    # Inlined `_digest`: calling it 20,000 times doubles the time of this function.
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
