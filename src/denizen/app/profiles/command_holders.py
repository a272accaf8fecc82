"""The packages that have a command, the best first, for `x` and `command-not-found`."""

from __future__ import annotations

import os

from denizen.errors import display
from denizen.launch.command_alternatives import packages_for_user
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.session import Session
    from denizen.index.locate import Index
    from denizen.index.provider import Provider
    from denizen.sources.fetch_policy import FetchPolicy

# The ranks of packages for a command; those of one rank are a tie.
_NAMED, _WHOLE, _ALTERNATIVE, _ESSENTIAL, _REQUIRED, _OTHER = 0, 1, 2, 50, 51, 52
_PRIORITIES = (b"required", b"important", b"standard")


class CommandHolder(Value):
    """A package that has a command.

    Attributes:
        path: of the command in the package.
        rank: the lower, the more likely it is meant; those of one rank are a tie.
    """

    package: str
    version: str
    path: str
    rank: int
    dependents: int
    size: int


class NearCommand(Value):
    """A command whose name is one edit away from what a user typed, and a package that has it."""

    name: str
    package: str

    @property
    def text(self) -> str:
        """The command, with its package in parentheses."""
        return f"{display(self.name)} ({display(self.package)})"


def holders_of(
    session: Session, command: str, suites: tuple[str, ...], policy: FetchPolicy, *, made: bool = True
) -> list[CommandHolder]:
    """Return the packages of the base suite that have a command, the best first.

    With `made` the index of paths is made if there is none; else there are no holders then.

    Raises SourceFailed, HostLacks.
    """
    from denizen.app.supply.base_suite import base_index, made_base_index
    from denizen.sources.base import Scope

    with (
        made_base_index(session, suites, Scope.PATHS, policy)
        if made
        else base_index(session, suites) as index
    ):
        return _holders(index, command.encode("utf-8", "surrogateescape"))


def near_commands(session: Session, command: str) -> tuple[NearCommand, ...]:
    """Return the commands of the base suite that are one edit away, the likeliest first."""
    from denizen.app.supply.base_suite import base_index

    with base_index(session) as index:
        near = index.near_commands(os.fsencode(command))
    return tuple(
        [NearCommand(os.path.basename(os.fsdecode(one.path)), os.fsdecode(one.package)) for one in near]
    )


def near_packages(session: Session, command: str) -> tuple[str, ...]:
    """Return names of packages of the base suite that resemble a command's name."""
    from denizen.app.supply.base_suite import base_index

    with base_index(session) as index:
        return tuple([os.fsdecode(name) for name in index.near_packages(os.fsencode(command))])


def has_paths(session: Session) -> bool:
    """Tell whether there is an index of paths, by which commands are found."""
    from denizen.app.supply.open_index import open_index
    from denizen.app.supply.own_architecture import own_architecture

    return any(entry.paths for entry in open_index(session, own_architecture()).entries)


def is_tie(holders: Sequence[CommandHolder]) -> bool:
    """Tell whether the first of several holders is not clearly the one that is meant."""
    if len(holders) < 2 or holders[0].rank != holders[1].rank:
        return False
    # Four times the dependents is a difference; none against three is not.
    return holders[0].dependents < 4 * max(holders[1].dependents, 2)


def _holders(index: Index, command: bytes) -> list[CommandHolder]:
    named = {one.package: one for one in index.packages(command)[:1]}
    found: dict[str, CommandHolder] = {}
    for place in index.commands(command):
        for package in index.packages(place.package)[:1]:
            one = _holder(package, place.path, command, named.get(command))
            found.setdefault(one.package, one)
    whole = named.get(command)
    if whole is not None and any(one.rank == _WHOLE for one in found.values()):
        # The package of the command's name has it by one of the same source (python3-minimal's python3).
        holder = min(found.values(), key=lambda one: one.rank)
        found.setdefault(command.decode(), _holder(whole, holder.path.encode(), command, None))
    for one in _alternatives(index, command):
        found.setdefault(one.package, one)
    if whole is not None and not found:
        # A script of the package may make it a link to a command of another name (figlet-figlet).
        found[command.decode()] = _holder(whole, b"", command, None)
    return sorted(found.values(), key=lambda one: (one.rank, -one.dependents, one.size, one.package))


def _alternatives(index: Index, command: bytes) -> list[CommandHolder]:
    """Return the packages that would make a link of that name, each of its own rank."""
    names = packages_for_user(command.decode("utf-8", "replace"))
    rows = [
        (one, rank)
        for rank, name in enumerate(names, _ALTERNATIVE)
        for one in index.packages(name.encode())[:1]
    ]
    return [
        CommandHolder(
            one.package.decode(), one.version.decode("utf-8", "replace"), "", rank, one.dependents, one.size
        )
        for one, rank in rows
    ]


def _holder(package: Provider, path: bytes, command: bytes, named: Provider | None) -> CommandHolder:
    name, version, place = [
        part.decode("utf-8", "replace") for part in (package.package, package.version, path)
    ]
    rank = _rank(package, command, named)
    return CommandHolder(name, version, place, rank, package.dependents, package.size)


def _rank(package: Provider, command: bytes, named: Provider | None) -> int:
    if package.package == command:
        return _NAMED
    if named is not None and _source(named) == _source(package):
        return _WHOLE
    if package.essential:
        return _ESSENTIAL
    return _REQUIRED if package.priority in _PRIORITIES else _OTHER


def _source(package: Provider) -> bytes:
    return package.source_package or package.package
