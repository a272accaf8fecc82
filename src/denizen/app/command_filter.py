"""Which commands may be brought for a program that names them."""

from __future__ import annotations

from functools import cache

from denizen.app.supply.configured_sources import configured_settings
from denizen.app.supply.indexing import own_architecture
from denizen.errors import DenizenError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from denizen.app.request import RunRequest
    from denizen.app.session import Session


def command_filter(session: Session, wanted: RunRequest) -> Callable[[bytes], bool]:
    """Return what tells whether a package has a command, by the paths of the base suite that are here.

    Where they are not, it says so of every one: which it is shows when it is executed, and fetching 10 MB for
    what may never be would delay each first start.
    """

    @cache
    def has(name: bytes) -> bool:
        from denizen.index.locate import Index

        try:
            suites = wanted.suites or configured_settings(session)[0].suites[:1]
            index = Index(session.paths.index, own_architecture(), suites)
            return not any(one.paths for one in index.entries) or bool(index.commands(name))
        except (DenizenError, OSError):
            return True

    return has
