"""The SQLite database of valid objects, in WAL mode: one file, opened at the first query.

Durability: `synchronous=FULL`, so that a transaction that returned survives power loss. A lost
registration would leave an object nobody knows; a lost deletion would leave a name whose object has gone.

The directory of the database is reached through a symbolic link, which a rebuild replaces in one
step; SQLite keeps the log beside the real file, so an old log can never be applied to a new
database. A caller that has taken the store's lock calls `refresh` first, to notice such a replacement.

The database of a process that ends soon leaves its connection open (`kept_connection`).

Writers hold the store's lock, so SQLite's own waiting (which polls and is not fair) is never needed
for more than a moment.
"""

from __future__ import annotations

import os

from denizen.contexts import contextmanager
from denizen.formats.storepath import DIGEST_DIGITS, StorePath
from denizen.store.database_file import (
    FILE,
    VERSION,
    DatabaseDamaged,
    DatabaseFailed,
    connect,
    reason_of,
)
from denizen.store.errors import is_full, leaves_holes
from denizen.store.kept_connection import keep, taken
from denizen.store.object_info import ObjectInfo
from denizen.store.sqlite_module import sqlite3

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    # A result row. The schema is STRICT, so each column has the type its query expects.
    Row: TypeAlias = tuple[Any, ...]

    from collections.abc import Iterable, Iterator
    from collections.abc import Set as AbstractSet

    from denizen.store.collection.object_census import ObjectCensus


_SELECT = "SELECT id, path, nar_hash, nar_size, registered, deriver, signatures, content_address FROM objects"


class Database:
    """The objects of the store whose database is in `directory` (a link to a directory, or one).

    With `short_lived` the connection stays open when it is closed, for the next database of this file or
    until the process ends.
    """

    def __init__(self, directory: bytes, *, short_lived: bool = False) -> None:
        self._directory = directory
        self._file = directory + FILE
        self._short_lived = short_lived
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        # (data_version, digests): SQLite's data_version changes when another process commits.
        self._digests: tuple[int, set[bytes]] | None = None

    def close(self) -> None:
        """Close the connection; the next query opens it again."""
        connection, identity = self._connection, self._identity
        if self._short_lived and connection is not None and identity and not connection.in_transaction:
            keep(self._file, identity, connection)
            self._connection = None
        self._disconnect()

    def _disconnect(self) -> None:
        """Close the connection for good: it is not to be used by another `Database` either."""
        if self._connection is not None:
            self._connection.close()
        self._connection, self._digests = None, None

    def refresh(self) -> None:
        """Close the connection if another process has replaced the database by a rebuilt one.

        The caller holds the store's lock.
        """
        if self._connection is not None and self._identity != self._identify():
            self._disconnect()

    def find(self, path: StorePath) -> ObjectInfo | None:
        """Return the registered info of `path`, or None if it is not a valid object."""
        for row in self._rows(_SELECT + " WHERE path = ?", (path.base,)):
            return self._info(row)
        return None

    def find_digest(self, digest: str) -> StorePath | None:
        """Return the valid object whose path begins with the 32 digits `digest`, or None."""
        # '.' follows '-' in ASCII: a range over the index, and digits need no escaping as in LIKE.
        query = "SELECT path FROM objects WHERE path >= ? AND path < ?"
        for (path,) in self._rows(query, (digest + "-", digest + ".")):
            return path_of(path)
        return None

    def valid_among(self, paths: Iterable[StorePath]) -> set[StorePath]:
        """Return the members of `paths` that are valid."""
        by_base = {path.base: path for path in paths}
        if len(by_base) == 1:  # to compile the statement about a list costs more than all of its uses
            ((base, path),) = by_base.items()
            return {path} if self._rows(_SELECT + " WHERE path = ?", (base,)) else set()
        return {by_base[base] for base in self._ids(by_base)}

    def paths(self) -> list[StorePath]:
        """Return the paths of all valid objects, sorted."""
        return [path_of(path) for (path,) in self._rows("SELECT path FROM objects ORDER BY path")]

    def count(self) -> int:
        """Return the number of valid objects."""
        ((count,),) = self._rows("SELECT count(*) FROM objects")
        return int(count)

    def infos(self) -> Iterator[ObjectInfo]:
        """Yield the infos of all valid objects, sorted by path."""
        for row in self._rows(_SELECT + " ORDER BY path"):
            yield self._info(row)

    def digests(self) -> AbstractSet[bytes]:
        """Return the hash parts of all valid paths, the candidates of a reference scan."""
        ((version,),) = self._rows("PRAGMA data_version")
        if self._digests is None or self._digests[0] != version:
            rows = self._rows("SELECT substr(path, 1, 32) FROM objects")
            self._digests = (version, {digest.encode("ascii") for (digest,) in rows})
        return self._digests[1]

    def referrers(self, path: StorePath) -> list[StorePath]:
        """Return the valid objects that mention `path`, sorted.

        `path` itself is among them if it mentions itself.
        """
        query = (
            "SELECT a.path FROM mentions JOIN objects a ON a.id = referrer"
            " JOIN objects b ON b.id = reference WHERE b.path = ? ORDER BY a.path"
        )
        return [path_of(found) for (found,) in self._rows(query, (path.base,))]

    def closure(self, starts: Iterable[StorePath]) -> list[StorePath]:
        """Return `starts`, which must be valid, and all they reference directly or indirectly, sorted."""
        query = (
            "WITH RECURSIVE reached(id) AS (SELECT value FROM json_each(?) UNION"
            " SELECT reference FROM mentions JOIN reached ON referrer = reached.id)"
            " SELECT path FROM objects WHERE id IN reached ORDER BY path"
        )
        ids = list(self._ids([path.base for path in starts]).values())
        return [path_of(path) for (path,) in self._rows(query, (str(ids),))]

    def census(self) -> ObjectCensus:
        """Return everything a collection needs, read in one transaction."""
        from denizen.store.collection.graph import Graph
        from denizen.store.collection.object_census import ObjectCensus

        self._execute("BEGIN")
        try:
            rows = list(self._rows("SELECT id, path, nar_size, registered FROM objects"))
            edges: dict[int, list[int]] = {}
            for referrer, reference in self._rows("SELECT referrer, reference FROM mentions"):
                edges.setdefault(referrer, []).append(reference)
        finally:
            self._execute("COMMIT")
        ids, paths, sizes, registered = zip(*rows, strict=True) if rows else ((), (), (), ())
        return ObjectCensus(
            Graph(frozenset(ids), edges),
            dict(zip(ids, paths, strict=True)),
            dict(zip(ids, sizes, strict=True)),
            dict(zip(ids, registered, strict=True)),
        )

    def register(self, infos: Iterable[ObjectInfo]) -> None:
        """Make objects valid in one transaction; they may reference one another.

        The caller holds the store's lock.

        Raises:
            ReferenceGone: an object mentions one that is neither valid nor among `infos`; nothing is
                registered.
        """
        infos = list(infos)
        with self._transaction():
            self._insert(infos)
            ids = self._ids({path.base for info in infos for path in (info.path, *info.references)})
            for info in infos:
                for reference in info.references:
                    if reference.base not in ids:
                        from denizen.store.object_errors import ReferenceGone

                        raise ReferenceGone(info.path, reference)
                    row = (ids[info.path.base], ids[reference.base])
                    self._execute("INSERT INTO mentions VALUES (?, ?)", row)
        if self._digests is not None:
            self._digests[1].update(info.path.digest.encode("ascii") for info in infos)

    def _insert(self, infos: Iterable[ObjectInfo]) -> None:
        rows = [
            (
                info.path.base,
                info.nar_hash,
                info.nar_size,
                info.registered,
                info.deriver.base if info.deriver else None,
                "\n".join(info.signatures),
                info.content_address,
            )
            for info in infos
        ]
        statement = (
            "INSERT INTO objects"
            " (path, nar_hash, nar_size, registered, deriver, signatures, content_address)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)"
        )
        self._execute_all(statement, rows)

    def forget(self, ids: Iterable[int]) -> None:
        """Make the objects with these row numbers invalid, in one transaction.

        The caller holds the store's lock. The schema refuses this while an object that stays mentions one of
        them.
        """
        listed = str(sorted(ids))
        with self._transaction():
            self._execute(
                "DELETE FROM mentions WHERE referrer IN (SELECT value FROM json_each(?))", (listed,)
            )
            self._execute("DELETE FROM objects WHERE id IN (SELECT value FROM json_each(?))", (listed,))
        self._digests = None

    def problems(self) -> list[str]:
        """Return SQLite's findings about the file's integrity, one text each; [] if it is intact."""
        found = [text for (text,) in self._rows("PRAGMA integrity_check")]
        found = [] if found == ["ok"] else found
        return found + [str(row) for row in self._rows("PRAGMA foreign_key_check")]

    def _info(self, row: tuple[int, str, bytes, int, int, str | None, str, str | None]) -> ObjectInfo:
        number, path, nar_hash, nar_size, registered, deriver, signatures, content_address = row
        query = "SELECT path FROM mentions JOIN objects ON id = reference WHERE referrer = ? ORDER BY path"
        return ObjectInfo(
            path=path_of(path),
            nar_hash=nar_hash,
            nar_size=nar_size,
            references=tuple([path_of(found) for (found,) in self._rows(query, (number,))]),
            deriver=path_of(deriver) if deriver else None,
            signatures=tuple(signatures.split("\n")) if signatures else (),
            registered=registered,
            content_address=content_address,
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Commit the statements executed inside durably, or roll all of them back on an exception."""
        self._execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._connection is not None:
                self._execute("ROLLBACK")
            raise
        self._execute("COMMIT")

    def _ids(self, bases: Iterable[str]) -> dict[str, int]:
        """Return the row numbers of the valid objects among these base names."""
        # One JSON parameter: no limit on the number, and always the same statement. Names need no escaping.
        wanted = "[" + ",".join([f'"{base}"' for base in bases]) + "]"
        query = "SELECT path, id FROM objects WHERE path IN (SELECT value FROM json_each(?))"
        return dict(self._rows(query, (wanted,)))

    def _rows(self, query: str, values: Iterable[object] = ()) -> list[Row]:
        try:
            return self._connected().execute(query, tuple(values)).fetchall()
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def _execute_all(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        """Execute a statement once for each row: 2 us less for each than `_execute`."""
        try:
            self._connected().executemany(statement, rows)
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def _execute(self, statement: str, values: tuple[object, ...] = ()) -> None:
        self._rows(statement, values)

    def _identify(self) -> tuple[int, int] | None:
        try:
            facts = os.stat(self._file)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise DatabaseFailed(self._file, os.strerror(error.errno or 0)) from error
        return facts.st_dev, facts.st_ino

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._identity = self._identify()
            if self._identity is None:
                raise DatabaseDamaged(self._file, "it is not there")
            if self._short_lived and (kept := taken(self._file, self._identity)) is not None:
                self._connection = kept
                return kept
            self._connection, version = self._opened()
            if version != VERSION:
                self._disconnect()
                raise DatabaseDamaged(self._file, f"its format is {version}; this denizen reads {VERSION}")
        return self._connection

    def _opened(self) -> tuple[sqlite3.Connection, int]:
        """Return a connection and the version of the database's format.

        Readers too need the index of the log, a file of 32 KiB that the first one makes. Where the disk has
        no room for it, SQLite keeps it in memory and locks other processes out of the database meanwhile
        (sqlite.org/wal.html, "Use of WAL Without Shared-Memory").
        """
        if not leaves_holes(self._file):
            try:
                return connect(self._file, one_thread=not self._short_lived)
            except sqlite3.OperationalError:
                if not is_full(self._file):
                    raise
        # Nobody else can read the log of a connection that is alone: it is closed as others are not.
        self._short_lived = False
        return connect(self._file, alone=True)

    def _failure(self, error: sqlite3.Error) -> DatabaseDamaged | DatabaseFailed:
        # After a failed write the connection may hold a transaction; a new one starts clean.
        self._disconnect()
        if isinstance(error, sqlite3.OperationalError):
            return DatabaseFailed(self._file, reason_of(error, self._file))
        return DatabaseDamaged(self._file, str(error))


def path_of(base: str) -> StorePath:
    """Return the path for a base name from the database without checking it.

    The database holds only checked names; checking 20,000 again takes 0.2 s.
    """
    return StorePath(base[:DIGEST_DIGITS], base[DIGEST_DIGITS + 1 :])
