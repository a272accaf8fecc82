"""The logs of builds, by derivation, by what it made, or by the recipe.

Which of them a collection deletes is in unused_logs.py.
"""

from __future__ import annotations

import contextlib
import os

from denizen.app.supply.store_access import object_named, open_store
from denizen.build.derivation import SUFFIX
from denizen.build.runner.build_log import log_directory, log_path, read_log
from denizen.disk import link_atomically, make_directories
from denizen.errors import DenizenError
from denizen.sha256 import hex_digest_of

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


class NoRecipeLog(DenizenError):
    """The error that no log of a recipe's build is kept."""

    path: str
    WHAT = "there is no log of a build of {path}"
    WHY = "its last build came from the store, or got not as far as the builder, or is long ago"
    REMEDY = "denizen build {path}"


# The directory of links to the logs of recipes' last builds, beside the logs.
BY_RECIPE = b"by-recipe"


def note_recipe(store: Store, recipe: str, drv: StorePath) -> None:
    """Let the log of a recipe's last build be found by the path of its file."""
    link = _link(store, recipe)
    target = os.path.relpath(log_path(store.layout, drv), os.path.dirname(link))
    with contextlib.suppress(OSError):  # as for the log itself: a full disk ends no build
        make_directories(os.path.dirname(link))
        link_atomically(link, target)


def _link(store: Store, recipe: str) -> bytes:
    name = hex_digest_of(os.fsencode(recipe))[:32].encode("ascii")
    return os.path.join(log_directory(store.layout), BY_RECIPE, name)


def recipe_log(session: Session, recipe: str) -> Iterator[bytes]:
    """Yield the log of the last build of a recipe's file in pieces. Raises NoRecipeLog."""
    with open_store(session) as store:
        link = _link(store, recipe)
    try:
        yield from read_log(link)
    except FileNotFoundError:
        raise NoRecipeLog(recipe) from None


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
