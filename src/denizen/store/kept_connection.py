"""The database connection that a command which ends soon leaves open when it ends.

SQLite copies the log into the database when the last connection is closed, and the next writer begins
another log: five syncs of a file more than the one that makes a transaction durable, 3 ms on a quiet disk
and 30 on a busy one. A process that just ends leaves the log as a killed one does; whoever opens the database
next reads it (sqlite.org/wal.html) and goes on writing it. SQLite itself copies it once it is longer than
`database_file.LOG_PAGES`.

One connection is kept, until another is, and handed to the next `Database` of the same file.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3

# (process, file, device and inode, connection): a forked process must not use its parent's.
_kept: list[tuple[int, bytes, tuple[int, int], sqlite3.Connection]] = []


def keep(file: bytes, identity: tuple[int, int], connection: sqlite3.Connection) -> None:
    """Leave a connection to the database `file` open; close the one that was kept before."""
    _kept.append((os.getpid(), file, identity, connection))
    while len(_kept) > 1:
        release()


def taken(file: bytes, identity: tuple[int, int]) -> sqlite3.Connection | None:
    """Return the connection kept if it is to this file, which then is the caller's."""
    try:
        kept = _kept.pop()  # two threads cannot get the same
    except IndexError:
        return None
    process, *place, connection = kept
    if place == [file, identity] and process == os.getpid():
        return connection
    _kept.append(kept)
    return None


def release() -> None:
    """Close the connection that was kept first: its database is to be moved, or another is kept."""
    try:
        process, _, _, connection = _kept.pop(0)
    except IndexError:
        return
    if process == os.getpid():
        connection.close()
