"""The logs of builds that a collection deletes: old ones of builds of which nothing is left in the store."""

from __future__ import annotations

import os
import time

from denizen.app.builds.build_logs import BY_RECIPE
from denizen.build.runner.build_log import log_directory
from denizen.store.errors import doing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.store.local import Store


def prune_logs(store: Store, grace: int) -> int:
    """Delete logs older than `grace` seconds of builds of which nothing is in the store; return their number.

    Raises DiskFailed.
    """
    top = log_directory(store.layout)
    before = time.time() - grace
    with doing("delete old logs in", top):
        old = [path for path in _logs(top) if os.lstat(path).st_mtime < before]
        if not old:
            return 0
        derivers = {info.deriver.base.encode("ascii") for info in store.database.infos() if info.deriver}
        gone = [path for path in old if _deriver(path) not in derivers]
        for path in gone:
            os.unlink(path)
        for link in _links(store):
            if not os.path.exists(link):
                os.unlink(link)
    return len(gone)


def _logs(top: bytes) -> Iterator[bytes]:
    for parent, directories, names in os.walk(top):
        directories[:] = [name for name in directories if name != BY_RECIPE]
        yield from [os.path.join(parent, name) for name in names]


def _links(store: Store) -> list[bytes]:
    directory = os.path.join(log_directory(store.layout), BY_RECIPE)
    try:
        return [os.path.join(directory, name) for name in os.listdir(directory)]
    except FileNotFoundError:
        return []


def _deriver(path: bytes) -> bytes:
    """Return the base name of the derivation that a log is of (`build_log.log_path`)."""
    parent, name = os.path.split(path)
    return os.path.basename(parent) + name.removesuffix(b".gz")
