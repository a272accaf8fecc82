"""The tree around a command where no environment can be entered: the same packages, found where they lie.

A command finds at their paths the files of its package and of all that this depends on, and what maintainer
scripts would have made of them: alternatives, configuration, the links of fhs/triggers.toml, and, where the
kernel can confine them, the work of those tools that need no root of their own. The library inside it looks
into the tree (launch/resources/resource_tree.py).
"""

from __future__ import annotations

import os

from denizen.app.command_package import COMMAND_PATH
from denizen.app.environments.fhs_create import catalogues_of, creation_context
from denizen.app.supply.own_architecture import own_architecture
from denizen.disk_view import DiskView
from denizen.fhs.entry_command import located
from denizen.fhs.generations import Settings
from denizen.fhs.tool_confinement import confinement, confines
from denizen.fhs.tree_creation import make, members_of, pins_of, to_fetch
from denizen.fileview import USR_MERGED
from denizen.host import machine_name
from denizen.launch.namespace_probe import obstacle
from denizen.profiles.package_exports import is_program
from denizen.sources.fetch_policy import FetchPolicy
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.formats.storepath import StorePath
    from denizen.resolve.resolution import Pin
    from denizen.store.local import Store


class StandingTree(Value):
    """A tree that nobody enters.

    Attributes:
        object: the store object.
        tree: its path.
    """

    object: StorePath
    tree: bytes

    def program(self, name: bytes) -> bytes:
        """Return the path of a command's file, in the store, where links lead; b"" for none."""
        place = located(self.tree, name, COMMAND_PATH)
        return self.program_at(place) if place != name else b""

    def program_at(self, path: bytes) -> bytes:
        """Return the path of a program's file, in the store, for its path in the tree; b"" for none."""
        inside = b"/usr" + path if path.split(b"/")[1] in USR_MERGED else path
        found = os.path.realpath(self.tree + inside)
        beside = os.path.dirname(self.tree) + b"/"
        return found if found.startswith(beside) and is_program(DiskView(), found) else b""


def confines_tools(enter: bytes) -> bool:
    """Return whether this host can confine a tool; the kernel is asked by trying it."""
    machine = machine_name()
    return confines(machine) and not obstacle(enter, confinement((), (), machine))


class StandingTrees:
    """The trees for one program's commands."""

    def __init__(self, session: Session, store: Store, wanted: RunRequest, architecture: str = "") -> None:
        """`architecture` is that of the packages by Debian's name; "" for this machine's."""
        self._session = session
        self._store = store
        self._wanted = wanted
        self._architecture = architecture or own_architecture()
        self._policy = FetchPolicy(offline=wanted.offline)

    def size(self, packages: Sequence[str]) -> int:
        """Return the bytes to fetch for a tree with these packages. Raises SourceFailed."""
        context = creation_context(self._session, self._store, self._policy)
        return sum(pin.size for pin in to_fetch(self._store, context.supply, self._pins(packages)))

    def composed(self, packages: Sequence[str]) -> StandingTree:
        """Return the tree, which the caller must keep. Raises the errors of creating environments."""
        context = creation_context(self._session, self._store, self._policy)
        # The tools of another machine's packages do not run here by themselves.
        is_own = self._architecture == own_architecture()
        context = replace(context, standing=True, confined=is_own and confines_tools(context.means.enter))
        made = make(context, self._pins(packages), self._settings(packages)).tree
        return StandingTree(made, self._store.place_of(made))

    def _settings(self, packages: Sequence[str]) -> Settings:
        return Settings(tuple(packages), self._wanted.suites, (self._architecture,))

    def _pins(self, packages: Sequence[str]) -> tuple[Pin, ...]:
        """Return the packages and all that they depend on, as far as it is to be had."""
        settings = self._settings(packages)
        catalogues = catalogues_of(self._session, settings, self._policy)
        return pins_of(members_of(settings, catalogues, whole=False), {})
