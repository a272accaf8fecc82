"""Where denizen keeps its files: below one root, or by the XDG Base Directory Specification."""

from __future__ import annotations

import os

from denizen.errors import HostLacks
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from denizen.cli.command import Context


class NoHome(HostLacks):
    """There is no directory to keep anything in."""

    @property
    def what(self) -> str:
        return "there is no place to keep denizen's files"

    @property
    def why(self) -> str:
        return "neither HOME nor the XDG directories are set"

    @property
    def remedy(self) -> str:
        return "--root DIR, or DENIZEN_ROOT"


@value
class Places:
    """The directories, none of which need exist.

    Attributes:
        data: what is dear: the store.
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
    def store(self) -> bytes:
        """The store: `data/store` below --root, else `denizen/store` below XDG_DATA_HOME."""
        return self.data + b"/store"

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


def places(context: Context) -> Places:
    """The directories of this invocation. Raises NoHome."""
    if context.root is not None:
        root = os.fsencode(os.path.abspath(context.root))
        return Places(root + b"/data", root + b"/state", root + b"/cache", root + b"/config")
    return Places(*[_xdg(context.environ, name, below) for name, below in _XDG])


def _xdg(environ: Mapping[str, str], name: str, below: str) -> bytes:
    base = environ.get(name, "")
    # The specification: a relative path is invalid and to be ignored.
    if not base.startswith("/"):
        home = environ.get("HOME", "")
        if not home.startswith("/"):
            raise NoHome
        base = f"{home}/{below}"
    return os.fsencode(base) + b"/denizen"
