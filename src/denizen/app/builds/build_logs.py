"""The logs of builds, by derivation or by what it made."""

from __future__ import annotations

from denizen.app.supply.store_access import object_named, open_store
from denizen.build.derivation import SUFFIX
from denizen.build.runner.build_log import log_path, read_log
from denizen.errors import DenizenError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.app.session import Session
    from denizen.formats.storepath import StorePath


class NoLog(DenizenError):
    """The error that no log of a build is kept."""

    path: StorePath
    WHY = "it was not built in this store by a program, or its log was removed"

    @property
    def what(self) -> str:
        return f"there is no log of the build of {self.path}"


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
