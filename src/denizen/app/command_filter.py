"""A filter for the commands that packages can provide to a program."""

from __future__ import annotations

from functools import cache

from denizen.app.supply.configured_sources import configured_settings
from denizen.app.supply.own_architecture import own_architecture
from denizen.errors import DenizenError
from denizen.launch.command_rules import kept_out_reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.index.locate import Index


def command_filter(session: Session, wanted: RunRequest) -> Callable[[bytes], bool | None]:
    """Return a function that tells whether a package has a command that may be brought, by the path index.

    Without that index it answers None for every name: execution shows later whether a package has the
    command, and to fetch 10 MB for a command that may never be executed would delay each first start.
    """

    @cache
    def path_index() -> Index | None:
        from denizen.app.supply.open_index import open_index

        try:
            suites = wanted.suites or configured_settings(session)[0].suites[:1]
            index = open_index(session, own_architecture(), suites)
        except (DenizenError, OSError):
            return None
        return index if any(one.paths for one in index.entries) else None

    @cache
    def has(name: bytes) -> bool | None:
        if kept_out_reason(name):
            return False
        index = path_index()
        return None if index is None else bool(index.commands(name))

    return has
