"""A filter for the commands that packages can provide to a program."""

from __future__ import annotations

import contextlib
from functools import cached_property

from denizen.app.command_package import command_package
from denizen.app.supply.base_suite import base_index
from denizen.errors import DenizenError
from denizen.launch.command_links import is_command
from denizen.launch.command_rules import folded, is_essential, kept_out_reason, unseen_reason
from denizen.launch.named_commands import is_here, named_paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.index.locate import Index
    from denizen.launch.command_links import CommandLinks


class AvailableCommands:
    """The commands that may be brought, by the indexes that are here."""

    def __init__(self, session: Session, wanted: RunRequest) -> None:
        """Take the options of the program's start; no index is read yet."""
        self._session = session
        self._wanted = wanted
        self._known: dict[bytes, bool | None] = {}

    def has(self, name: bytes) -> bool | None:
        """Tell whether a package has a command that may be brought, by the path index.

        Without that index return None for every name: execution shows later whether a package has the
        command, and to fetch 10 MB for a command that may never be executed would delay each first start.
        """
        if name not in self._known:
            self._known[name] = self._has(name)
        return self._known[name]

    def sees(self, name: bytes) -> bool:
        """Tell whether programs that look for a command along PATH are to see it (docs/decisions/0016).

        Without the path index a package of the command's own name is taken to have it.
        """
        if kept_out_reason(name) or unseen_reason(name):
            return False
        if is_essential(name):
            return True
        index = self._index
        if index is None or not index.packages(folded(name)):
            return False
        return self._path_index is None or command_package(index, name).encode() == folded(name)

    def named(self, links: CommandLinks, names: Sequence[bytes]) -> tuple[bytes, ...]:
        """Return the paths at which static programs see what arguments named, now and at earlier starts."""
        return named_paths(links, self.to_be_named(links, names))

    def to_be_named(self, links: CommandLinks, names: Sequence[bytes]) -> frozenset[bytes]:
        """Return those words of a static program's arguments that are commands it is to see.

        A name is asked for by the user: also what programs look for and do without (`ccache gcc`). What is
        no such name is recorded.
        """
        wanted = frozenset(name for name in names if not is_here(name) and self._is_to_be_had(name))
        for name in names:
            if name not in wanted:
                with contextlib.suppress(OSError):  # a full disk: the index is asked again
                    links.leave_unnamed(name)
        return wanted

    def _is_to_be_had(self, name: bytes) -> bool:
        if kept_out_reason(name) or not is_command(name):
            return False
        if is_essential(name):
            return True
        index = self._path_index or self._index
        return index is not None and bool(command_package(index, name) or index.packages(folded(name)))

    def _has(self, name: bytes) -> bool | None:
        if kept_out_reason(name):
            return False
        index = self._path_index
        return None if index is None else bool(index.commands(name))

    @cached_property
    def _index(self) -> Index | None:
        try:
            return base_index(self._session, self._wanted.suites)
        except (DenizenError, OSError):
            return None

    @property
    def _path_index(self) -> Index | None:
        index = self._index
        return index if index is not None and any(one.paths for one in index.entries) else None
