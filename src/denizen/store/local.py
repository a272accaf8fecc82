"""Store, a store on a local disk: open, create, query, lock, and begin an operation."""

from __future__ import annotations

import os

from denizen.contexts import contextmanager
from denizen.disk import make_directories, sync_directory, write_atomically
from denizen.formats import storepath
from denizen.store import store_marker
from denizen.store.errors import doing
from denizen.store.layout import StoreLayout
from denizen.store.locks import store_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Self

    from denizen.formats.storepath import StorePath
    from denizen.store.database import Database
    from denizen.store.object_info import ObjectInfo
    from denizen.store.object_staging import Work
    from denizen.store.trees.reference_scanner import Matcher


class Store:
    """The store in one directory.

    Attributes:
        layout: its directories.
        short_lived: the process ends soon after it has closed this store; its database's connection is left
            open for that time (`kept_connection`).
    """

    def __init__(self, layout: StoreLayout, *, short_lived: bool = False) -> None:
        self.layout = layout
        self.short_lived = short_lived
        self._database: Database | None = None
        # The search the reference scanner uses, chosen when the first object is added.
        self.matcher: Matcher | None = None

    @classmethod
    def open(cls, physical: bytes, *, short_lived: bool = False) -> Self:
        """Open the store in the directory `physical`.

        Raises:
            NoStore: there is none.
            BadMarker: its marker file is damaged.
            DiskFailed: it cannot be read.
        """
        found = cls._found(physical, short_lived=short_lived)
        if found is None:
            from denizen.store.object_errors import NoStore

            raise NoStore(os.path.abspath(physical))
        return found

    @classmethod
    def _found(cls, physical: bytes, *, short_lived: bool) -> Self | None:
        """Return the opened store, None where there is none. Raises BadMarker, DiskFailed."""
        path = os.path.abspath(physical)
        layout = StoreLayout(path, path)
        with doing("open the store", path):
            try:
                with open(layout.marker, "rb") as stream:
                    content = stream.read(store_marker.MAX_SIZE)
            except (FileNotFoundError, NotADirectoryError):
                return None
        return cls(StoreLayout(path, store_marker.read(content, layout.marker)), short_lived=short_lived)

    def opened_again(self) -> Store:
        """Return this store opened once more, for another thread."""
        return type(self).open(self.layout.physical, short_lived=self.short_lived)

    @classmethod
    def create(cls, physical: bytes, logical: bytes | None = None, *, short_lived: bool = False) -> Self:
        """Open the store in `physical`, and create it first if there is none.

        `logical` is the store directory that goes into the hashes of its paths; by default `physical`.

        Raises:
            NotAStore: the directory holds other files.
            DiskFailed: it cannot be made.
            BadMarker: there is a store with a damaged marker file.
        """
        found = cls._found(physical, short_lived=short_lived)
        if found is not None:
            return found
        from denizen.store.object_errors import StoreNotMade

        path = os.path.abspath(physical)
        with doing("make a store in", path, StoreNotMade):
            _create(StoreLayout(path, logical or path))
        return cls.open(physical, short_lived=short_lived)

    @property
    def database(self) -> Database:
        """The database; sqlite3 is imported with it (6 ms), which hashing and dumping do not need."""
        if self._database is None:
            from denizen.store.database import Database

            self._database = Database(self.layout.database, short_lived=self.short_lived)
        return self._database

    def close(self) -> None:
        """Close the database."""
        if self._database is not None:
            self._database.close()

    def disconnect(self) -> None:
        """Close the database, and leave no connection to it open: its files are going to move."""
        self.close()
        if self.short_lived:
            from denizen.store.kept_connection import release

            release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def place_of(self, path: StorePath) -> bytes:
        """Return the object's path on this machine, whether or not the object exists."""
        return self.layout.place_of(path)

    def path_at(self, place: bytes) -> StorePath:
        """Return the store path that the path `place` lies in, below the physical or the logical directory.

        Only the text of the path is looked at.

        Raises:
            BadStorePath: it lies outside the store.
        """
        for directory in (self.layout.physical, self.layout.logical):
            if place.startswith(directory + b"/"):
                return storepath.containing(place, directory)[0]
        return storepath.containing(place, self.layout.physical)[0]

    def is_valid(self, path: StorePath) -> bool:
        """Return whether the object is registered."""
        return self.database.find(path) is not None

    def info(self, path: StorePath) -> ObjectInfo:
        """Return the registered metadata of an object.

        Raises:
            NotValid: the object is not registered.
        """
        found = self.database.find(path)
        if found is None:
            from denizen.store.object_errors import NotValid

            raise NotValid(path)
        return found

    def referrers(self, path: StorePath) -> list[StorePath]:
        """Return the objects that mention a valid one, sorted. Raises NotValid."""
        self.info(path)
        return self.database.referrers(path)

    def closure(self, paths: Iterable[StorePath]) -> list[StorePath]:
        """Return valid objects and all they reference directly or indirectly, sorted. Raises NotValid."""
        starts = list(paths)
        missing = set(starts) - self.database.valid_among(starts)
        if missing:
            from denizen.store.object_errors import NotValid

            raise NotValid(min(missing))
        return self.database.closure(starts)

    @contextmanager
    def working(self) -> Iterator[Work]:
        """Begin an operation that adds objects or needs objects to stay; it ends with the context."""
        from denizen.store.object_staging import Work

        with doing("begin to work in", self.layout.physical):
            work = Work(self)
        try:
            yield work
        finally:
            work.close()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the store's lock, with the database refreshed."""
        with store_lock(self.layout):
            self.database.refresh()
            yield


def _create(layout: StoreLayout) -> None:
    from denizen.store.collection.reserve import make_reserve

    _refuse_strangers(layout)
    for directory in layout.directories:
        make_directories(directory)
    with store_lock(layout):
        if not os.path.lexists(layout.database):
            from denizen.store.upkeep.rebuild import rebuild

            # Empty for a new store; a store that only lost its marker gets the objects of its sidecars.
            rebuild(layout)
        make_reserve(layout)
        write_atomically(layout.marker, store_marker.write(layout.logical))
    sync_directory(os.path.dirname(layout.physical))


def _refuse_strangers(layout: StoreLayout) -> None:
    try:
        present = os.listdir(layout.physical)
    except FileNotFoundError:
        return
    if present and not os.path.isdir(layout.state):
        from denizen.store.object_errors import NotAStore

        raise NotAStore(layout.physical)
