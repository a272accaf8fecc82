"""The file of a store's SQLite database: its format, opening, creation, and what can go wrong with it."""

from __future__ import annotations

import errno
import os

from denizen.disk import more_files
from denizen.errors import HostLacks, StoreDamaged
from denizen.store.errors import is_full
from denizen.store.sqlite_module import sqlite3

FILE = b"/objects.sqlite"
_NO_ROOM = os.strerror(errno.ENOSPC)
_NO_DESCRIPTORS = os.strerror(errno.EMFILE)
# The database, its log, and the log's index.
_DATABASE_FILES = 3
VERSION = 1
# Readers never wait for writers in WAL mode; this covers recovery after a crash and the closing of a log.
_BUSY_SECONDS = 60
# Pages of 4 KiB in the log after which a writer copies it into the database; a transaction has two to four.
# Whoever opens the database first checks the sums of all, in 0.3 ms.
LOG_PAGES = 100
_SCHEMA = f"""
CREATE TABLE objects (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    nar_hash BLOB NOT NULL,
    nar_size INTEGER NOT NULL,
    registered INTEGER NOT NULL,
    deriver TEXT,
    signatures TEXT NOT NULL,
    content_address TEXT
) STRICT;
CREATE TABLE mentions (
    referrer INTEGER NOT NULL REFERENCES objects(id),
    reference INTEGER NOT NULL REFERENCES objects(id),
    PRIMARY KEY (referrer, reference)
) STRICT, WITHOUT ROWID;
CREATE INDEX mentions_by_reference ON mentions(reference, referrer);
PRAGMA user_version = {VERSION};
"""
# Bytes of a path that stand for themselves in a URI.
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-")


class DatabaseDamaged(StoreDamaged):
    """The database is missing, malformed, or not denizen's."""

    path: bytes
    reason: str
    WHAT = "the store's database {path} cannot be used"
    WHY = "{reason:text}"
    REMEDY = "denizen store rebuild-db"


# What SQLite says where a write, or the log's index made by posix_fallocate(3), finds no room
# (sqlite.org/rescode.html).
_FULL_ERRORS = frozenset({"SQLITE_FULL", "SQLITE_IOERR_SHMSIZE"})


class DatabaseFailed(HostLacks):
    """The file system refused a read or write of the database: it is full, read-only, or broken."""

    path: bytes
    reason: str
    WHAT = "the store's database {path} cannot be read or written"
    WHY = "{reason:text}"

    @property
    def lacks_room(self) -> bool:
        """Tell whether the disk was full, which it need not be any more (`reason_of`)."""
        return self.reason == _NO_ROOM

    @property
    def remedy(self) -> str:
        if self.reason == _NO_DESCRIPTORS:
            return more_files()
        return "denizen gc" if self.lacks_room else ""


def reason_of(error: sqlite3.Error, path: bytes) -> str:
    """Return the cause of a failure in words; SQLite tells most refusals as "disk I/O error".

    When it fails for want of room it first gives back the room it took: the disk need not be full now.
    """
    if error.sqlite_errorname == "SQLITE_CANTOPEN" and _lacks_descriptors():
        return _NO_DESCRIPTORS
    full = error.sqlite_errorname in _FULL_ERRORS or is_full(path)
    return _NO_ROOM if full else str(error)


def _lacks_descriptors() -> bool:
    """Return whether the limit of open files leaves too few for a database; SQLite has closed its own."""
    try:
        descriptor = os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as problem:
        return problem.errno == errno.EMFILE
    os.close(descriptor)
    return descriptor + _DATABASE_FILES > os.sysconf("SC_OPEN_MAX")


def connect(file: bytes, *, alone: bool = False, one_thread: bool = True) -> tuple[sqlite3.Connection, int]:
    """Return a connection with denizen's settings, and the version of the database's format.

    `file` must exist. `alone` keeps other processes out while the connection is open. With `one_thread` it
    refuses to be used by other threads than this one.
    """
    # mode=rw in a URI: sqlite3 would otherwise create an absent file, which would pass for an empty store.
    quoted = "".join([chr(byte) if byte in _PLAIN else f"%{byte:02x}" for byte in file])
    connection = sqlite3.connect(
        f"file:{quoted}?mode=rw",
        uri=True,
        isolation_level=None,
        timeout=_BUSY_SECONDS,
        check_same_thread=one_thread,
    )
    try:
        if alone:  # before anything opens the log
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    except BaseException:
        connection.close()  # it holds locks, for which the next attempt would wait
        raise
    return connection, version


def create(directory: bytes) -> None:
    """Create an empty database in the existing directory `directory`. Raises DatabaseFailed."""
    try:
        connection = sqlite3.connect(directory + FILE, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}COMMIT;")
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise DatabaseFailed(directory + FILE, reason_of(error, directory)) from error
