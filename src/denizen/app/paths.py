"""Where denizen keeps its files: below one root, or by the XDG Base Directory Specification.

Directories that others could have filled are refused (`trust`). A home that is another user's is not used:
with sudo HOME is often the caller's, where root would leave files and believe what the caller wrote.
"""

from __future__ import annotations

import os

from denizen.errors import HostLacks
from denizen.trust import check, check_parent, home_of, owner_of_nearest
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class NoHome(HostLacks):
    """There is no directory to keep anything in."""

    WHAT = "there is no place to keep denizen's files"
    WHY = "neither HOME nor the XDG directories are set"
    REMEDY = "--root DIR, or DENIZEN_ROOT"


class StoreAway(HostLacks):
    """The store was moved to a place that is not there now.

    Attributes:
        pointer: the link in the store's usual place.
        place: where it leads.
    """

    pointer: bytes
    place: bytes
    WHAT = "the store is not in {place}, where it was moved to"
    WHY = "{pointer} leads there; perhaps its disk is not mounted"
    REMEDY = "mount the disk; or rm {pointer}, and a new store is made when one is needed"


@value
class DenizenPaths:
    """The directories, none of which need exist.

    Attributes:
        data: what is dear: the store, or a link to where it was moved.
        state: what is remembered: decisions, profiles, roots.
        cache: what can be fetched again: indexes, packages.
        config: what the user wrote.
    """

    data: bytes
    state: bytes
    cache: bytes
    config: bytes

    @property
    def decisions(self) -> bytes:
        """What the loader reads: one file for each decided program, and links named after programs."""
        return self.state + b"/decisions"

    @property
    def tools(self) -> bytes:
        """Our small compiled programs, as decisions name them."""
        return self.state + b"/tools"

    @property
    def usual_store(self) -> bytes:
        """Where a store is made: `data/store` below --root, else `denizen/store` below XDG_DATA_HOME."""
        return self.data + b"/store"

    @property
    def store(self) -> bytes:
        """Where the store is: what `store move` left a link in the usual place to, else that place."""
        try:
            # Absolute, unless somebody made the link by hand.
            return os.path.join(self.data, os.readlink(self.usual_store))
        except OSError:
            return self.usual_store

    @property
    def packages(self) -> bytes:
        """Package files that were fetched."""
        return self.cache + b"/packages"

    @property
    def index(self) -> bytes:
        """The indexes of sources."""
        return self.cache + b"/index"

    @property
    def lists(self) -> bytes:
        """What was fetched of sources to make indexes from."""
        return self.cache + b"/lists"

    @property
    def disposable(self) -> tuple[bytes, ...]:
        """Directories whose entries are made or fetched again when they are wanted, and grow with use."""
        names = (b"/packages", b"/packages/partial", b"/facts", b"/resolutions", b"/controls")
        return tuple([self.cache + name for name in names])

    @property
    def sources(self) -> bytes:
        """The configuration of sources, one file each."""
        return self.config + b"/sources"


_XDG = (
    ("XDG_DATA_HOME", ".local/share"),
    ("XDG_STATE_HOME", ".local/state"),
    ("XDG_CACHE_HOME", ".cache"),
    ("XDG_CONFIG_HOME", ".config"),
)


def paths_of(root_text: str | None, environ: Mapping[str, str]) -> DenizenPaths:
    """Return the directories below a root, or the XDG ones. Raises NoHome, Untrusted, StoreAway."""
    if root_text is not None:
        root = os.fsencode(os.path.abspath(root_text))
        found = DenizenPaths(root + b"/data", root + b"/state", root + b"/cache", root + b"/config")
        check_parent(root)
    else:
        found = DenizenPaths(*[_xdg(environ, name, below) for name, below in _XDG])
    for directory in _believed(found):
        check(directory)
    if found.store != found.usual_store and not os.path.isdir(found.store):
        raise StoreAway(found.usual_store, found.store)
    return found


def _believed(place: DenizenPaths) -> tuple[bytes, ...]:
    """Directories whose files are believed for lying there."""
    return (
        place.data, place.usual_store, place.store + b"/.denizen", place.state, place.decisions, place.tools,
        place.cache, place.packages, place.index, place.lists, *place.disposable, place.config, place.sources,
    )  # fmt: skip


def _xdg(environ: Mapping[str, str], name: str, below: str) -> bytes:
    base = environ.get(name, "")
    # The specification: a relative path is invalid and to be ignored.
    if not base.startswith("/") or _is_anothers(base):
        base = f"{_home(environ)}/{below}"
    return os.fsencode(base) + b"/denizen"


def _home(environ: Mapping[str, str]) -> str:
    """HOME; where that is another user's, the home that the user database gives. Raises NoHome."""
    home = environ.get("HOME", "")
    if not home.startswith("/"):
        raise NoHome
    own = home_of(os.geteuid()) if _is_anothers(home) else home
    return own if own.startswith("/") else home


def _is_anothers(path: str) -> bool:
    """Whether a directory, or the nearest above it that is there, belongs to neither this user nor root."""
    return owner_of_nearest(path) not in (os.geteuid(), 0, None)
