"""The logs of builds, by derivation or by what it made."""

from __future__ import annotations

import os
import time

from denizen.app.supply.store_access import object_named, open_store
from denizen.build.derivation import SUFFIX
from denizen.build.runner.build_log import log_path, read_log
from denizen.errors import DenizenError
from denizen.store.errors import doing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.app.session import Session
    from denizen.formats.storepath import StorePath
    from denizen.store.local import Store


class NoLog(DenizenError):
    """The error that no log of a build is kept."""

    path: StorePath
    WHY = "it was not built in this store by a program, or its log is old and was removed by denizen gc"

    @property
    def what(self) -> str:
        return f"there is no log of the build of {self.path}"


def prune_logs(store: Store, grace: int) -> int:
    """Delete logs older than `grace` seconds of builds of which nothing is in the store; return their number.

    Raises DiskFailed.
    """
    top = store.layout.state + b"/logs"
    before = time.time() - grace
    with doing("delete old logs in", top):
        old = [path for path in _logs(top) if os.lstat(path).st_mtime < before]
        if not old:
            return 0
        derivers = {info.deriver.base.encode("ascii") for info in store.database.infos() if info.deriver}
        gone = [path for path in old if _deriver(path) not in derivers]
        for path in gone:
            os.unlink(path)
    return len(gone)


def _logs(top: bytes) -> Iterator[bytes]:
    for parent, _, names in os.walk(top):
        yield from [os.path.join(parent, name) for name in names]


def _deriver(path: bytes) -> bytes:
    """Return the base name of the derivation that a log is of (`build_log.log_path`)."""
    parent, name = os.path.split(path)
    return os.path.basename(parent) + name.removesuffix(b".gz")


def build_log(session: Session, name: str) -> Iterator[bytes]:
    """Yield the log of a derivation's last build in pieces; `name` is the derivation or what it made.

    Raises:
        BadStorePath: the name is no store object's.
        NoLog: no log is kept.
    """
    with open_store(session) as store:
        path = object_named(store, name)
        drvs = [path] if path.name.endswith(SUFFIX) else []
        made = store.database.find(path)
        if made is not None and made.deriver is not None:
            drvs.append(made.deriver)
        places = [log_path(store.layout, drv) for drv in drvs]
    for place in places:
        try:
            yield from read_log(place)
        except FileNotFoundError:
            continue
        return
    raise NoLog(path)
