"""The directories of denizen: below one root, or by the XDG Base Directory Specification.

Directories that other users could have written to are refused (`trust`). HOME is not used if it belongs to
another user: under sudo it is often the caller's, where root would leave files and trust what the caller
wrote. Nor is one that this user can neither enter nor make: root's, as su -m leaves it, or a service's
/nonexistent. The user database's home is taken then, and where HOME is not set.
"""

from __future__ import annotations

import os

from denizen.trust import check, check_parent, home_of, owner_of_nearest
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class DenizenPaths(Value):
    """The directories, none of which need exist.

    Attributes:
        data: files that are costly to replace: the store, or a link to where it was moved.
        state: records: decisions, profiles, roots.
        cache: files that can be fetched again: indexes, packages.
        config: the user's settings.
    """

    data: bytes
    state: bytes
    cache: bytes
    config: bytes

    @property
    def decisions(self) -> bytes:
        """The directory of decisions, which the loader reads.

        It holds a file for each decided program, and links named after programs.
        """
        return self.state + b"/decisions"

    @property
    def public(self) -> bytes:
        """The directory of root's decisions that others may read (launch.decisions.public_copies)."""
        return self.state + b"/public"

    @property
    def tools(self) -> bytes:
        """The directory of denizen's small compiled programs; decisions name files in it."""
        return self.state + b"/tools"

    @property
    def profiles(self) -> bytes:
        """The directory of the profiles that have a name; the user's PATH leads through their links."""
        return self.state + b"/profiles"

    @property
    def usual_store(self) -> bytes:
        """The place where a store is created.

        It is `data/store` below --root, else `denizen/store` below XDG_DATA_HOME.
        """
        return self.data + b"/store"

    @property
    def store(self) -> bytes:
        """The store's directory: the target of the link that `store move` left, else the usual place."""
        try:
            # The target is absolute unless a user made the link.
            return os.path.join(self.data, os.readlink(self.usual_store))
        except OSError:
            return self.usual_store

    @property
    def packages(self) -> bytes:
        """The directory of fetched package files."""
        return self.cache + b"/packages"

    @property
    def index(self) -> bytes:
        """The directory of the sources' indexes."""
        return self.cache + b"/index"

    @property
    def lists(self) -> bytes:
        """The directory of the sources' fetched lists, from which indexes are made."""
        return self.cache + b"/lists"

    @property
    def disposable(self) -> tuple[bytes, ...]:
        """The cache directories that grow with use.

        Their entries are made or fetched again when they are needed.
        """
        names = (b"/packages", b"/packages/partial", b"/facts", b"/resolutions", b"/controls")
        return tuple([self.cache + name for name in names])

    @property
    def sources(self) -> bytes:
        """The directory of the sources' settings, a file for each."""
        return self.config + b"/sources"


_XDG = (
    ("XDG_DATA_HOME", ".local/share"),
    ("XDG_STATE_HOME", ".local/state"),
    ("XDG_CACHE_HOME", ".cache"),
    ("XDG_CONFIG_HOME", ".config"),
)


def paths_of(root_text: str | None, environ: Mapping[str, str]) -> DenizenPaths:
    """Return the directories below a root, or the XDG ones. Raises Untrusted, StoreAway."""
    if root_text is not None:
        root = os.fsencode(os.path.abspath(root_text))
        found = DenizenPaths(root + b"/data", root + b"/state", root + b"/cache", root + b"/config")
        check_parent(root)
    else:
        found = DenizenPaths(*[_xdg(environ, name, below) for name, below in _XDG])
        for directory in (found.data, found.state, found.cache, found.config):
            check_parent(os.path.dirname(directory))
    for directory in _believed(found):
        check(directory)
    if found.store != found.usual_store and not os.path.isdir(found.store):
        from denizen.app.store_away import StoreAway

        raise StoreAway(found.usual_store, found.store)
    return found


def _believed(place: DenizenPaths) -> tuple[bytes, ...]:
    """Return the directories whose files denizen trusts, and that others must not be able to write to."""
    return (
        place.data, place.usual_store, place.store + b"/.denizen", place.state, place.decisions, place.public,
        place.tools, place.profiles, place.cache, place.packages, place.index, place.lists, *place.disposable,
        place.config, place.sources,
    )  # fmt: skip


def _xdg(environ: Mapping[str, str], name: str, below: str) -> bytes:
    base = environ.get(name, "")
    # XDG Base Directory Specification: a relative path is invalid and is to be ignored.
    if not base.startswith("/") or _is_anothers(base):
        base = f"{_home(environ)}/{below}"
    return os.fsencode(base) + b"/denizen"


def _home(environ: Mapping[str, str]) -> str:
    """Return HOME, or the user database's home where HOME is not set or is another user's.

    Programs are started for users without a home too (services, containers, `env -i`): those have a directory
    below /tmp. Raises Untrusted: somebody else made that.
    """
    home = environ.get("HOME", "")
    if not home.startswith("/") or _is_closed(home):
        own = home_of(os.geteuid())
        return (
            own if own.startswith("/") and os.path.isdir(own) and not _is_closed(own) else _temporary_home()
        )
    own = home_of(os.geteuid()) if _is_anothers(home) else home
    return own if own.startswith("/") else home


def _is_closed(home: str) -> bool:
    """Tell whether this user can neither enter the directory nor make it."""
    above, wanted = home, os.X_OK
    while not os.path.isdir(above) and above != "/":
        above, wanted = os.path.dirname(above), os.W_OK | os.X_OK
    return not os.access(above, wanted) and owner_of_nearest(home) != os.geteuid()


def _temporary_home() -> str:
    home = f"/tmp/denizen-{os.geteuid()}"  # noqa: S108  # it is checked, as a home of an unknown user must be
    check(os.fsencode(home))
    return home


def _is_anothers(path: str) -> bool:
    """Tell whether the path, or its nearest existing parent, belongs to neither this user nor root."""
    return owner_of_nearest(path) not in (os.geteuid(), 0, None)
