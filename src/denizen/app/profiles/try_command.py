"""`x`: a command of a package, started without being installed.

What was brought is kept from collection by links in <state>/tried, for some time (app/retention.py) after the
last start, which is the time of the link. Those in <state>/tried-offline are of starts with --offline, whose
loader lets nothing be fetched while the command runs:

    COMMAND   -> <store>/<hash>-package-commands/bin/COMMAND    the choice that was made for the command
"""

from __future__ import annotations

import contextlib
import os
import time

from denizen.errors import EXIT_NOT_FOUND, DenizenError, display, shell_word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.profiles.command_holders import CommandHolder, NearCommand
    from denizen.app.profiles.install_request import InstallRequest
    from denizen.app.session import Session
    from denizen.store.local import Store

_SHOWN = 12


class NoCommand(DenizenError):
    """The error that no package has a command.

    Attributes:
        near: commands that are one edit away, the likeliest first.
        packages: names of packages that resemble the command's.
    """

    exit_status = EXIT_NOT_FOUND
    command: str
    near: tuple[NearCommand, ...]
    packages: tuple[str, ...]
    WHAT = "no package has a command {command}"

    @property
    def why(self) -> str:
        if self.near:
            return f"near: {', '.join(one.text for one in self.near)}"
        return f"packages with such names: {', '.join(map(display, self.packages))}" if self.packages else ""

    @property
    def remedy(self) -> str:
        return (
            f"denizen x {shell_word(self.near[0].name)}"
            if self.near
            else f"denizen search {shell_word(self.command)}"
        )


class SeveralHolders(DenizenError):
    """The error that several packages have a command, and nobody is there to choose."""

    exit_status = EXIT_NOT_FOUND
    command: str
    holders: tuple[CommandHolder, ...]
    WHAT = "several packages have a command {command}"

    @property
    def why(self) -> str:
        left = len(self.holders) - _SHOWN
        names = ", ".join(display(one.package) for one in self.holders[:_SHOWN])
        return names + (f" and {left} more" if left > 0 else "")

    @property
    def remedy(self) -> str:
        return f"denizen x --from {shell_word(self.holders[0].package)} {shell_word(self.command)}"


class NotOfPackage(DenizenError):
    """The error that a package has no such command."""

    exit_status = EXIT_NOT_FOUND
    command: str
    package: str
    known: tuple[str, ...]
    WHAT = "{package} has no command {command}"

    @property
    def why(self) -> str:
        return f"it has {', '.join(map(display, self.known[:_SHOWN]))}" if self.known else "it has none"


def tried_command(session: Session, command: str, *, stays_offline: bool) -> bytes | None:
    """Return the path of a command that was tried before and is still here, and note that it is used.

    `stays_offline`: the one that fetches nothing while it runs.
    """
    link = _link(command, _directory(session, stays_offline=stays_offline))
    try:
        target = os.readlink(link)
        os.stat(target)
    except OSError:
        return None
    now = time.time()
    with contextlib.suppress(OSError):
        os.utime(link, (now, now), follow_symlinks=False)
    return target


def brought_command(session: Session, command: str, package: str, request: InstallRequest) -> bytes:
    """Bring a command of a package into the store, decided; return its path.

    Raises:
        NotOfPackage: the package does not have it. And the errors of preparing packages.
    """
    from denizen.app.profiles.debian_element import DebianChooser, prepared_package
    from denizen.app.profiles.install_request import Preparation
    from denizen.app.profiles.installed_command import decide_installed
    from denizen.app.start_request import RunRequest
    from denizen.app.supply.liblzma_setup import bring_decoder
    from denizen.app.supply.store_access import made_store
    from denizen.disk import link_atomically, make_directories
    from denizen.store.collection.gc_roots import add_indirect
    from denizen.store.errors import doing

    bring_decoder(session)
    with made_store(session) as store, store.working() as work:
        at = Preparation(session, store, work, request)
        chooser = DebianChooser(session, request.suites, request.policy)
        made = prepared_package(at, chooser, package)
        if made.commands is None or command not in made.element.commands:
            raise NotOfPackage(command, package, made.element.commands)
        path = os.path.join(store.place_of(made.commands), b"bin", os.fsencode(command))
        stays_offline = request.stays_offline
        decide_installed(session, path, RunRequest(offline=request.offline, stays_offline=stays_offline))
        link = _link(command, _directory(session, stays_offline=stays_offline))
        with doing("write in", os.path.dirname(link)):
            make_directories(os.path.dirname(link), 0o700)
        add_indirect(store.layout, link, made.commands)
        # Straight to the command; the collector recognises the object's hash anywhere in a target.
        link_atomically(link, path)
        return path


def chosen_package(session: Session, command: str, holders: Sequence[CommandHolder]) -> str:
    """Return the package that is meant. Raises NoCommand, SeveralHolders."""
    from denizen.app.profiles.command_holders import is_tie, near_commands, near_packages

    if not holders:
        near = near_commands(session, command)
        raise NoCommand(command, near, () if near else near_packages(session, command))
    if is_tie(holders):
        raise SeveralHolders(command, tuple(holders))
    return holders[0].package


def forget_tried(session: Session, store: Store, unused_for: int) -> int:
    """Forget the commands that were not started for `unused_for` seconds; return their number."""
    from denizen.store.collection.gc_roots import remove_indirect

    forgotten = 0
    for link in _tried(session):
        with contextlib.suppress(FileNotFoundError):
            if os.lstat(link).st_mtime < time.time() - unused_for:
                remove_indirect(store.layout, link)
                forgotten += 1
    return forgotten


def tried_objects(session: Session) -> set[bytes]:
    """Return the hashes of the objects of commands that are kept for having been tried."""
    found = set()
    for link in _tried(session):
        with contextlib.suppress(OSError):
            target = os.readlink(link)
            found.add(os.path.basename(os.path.dirname(os.path.dirname(target)))[:32])
    return found


def _tried(session: Session) -> list[bytes]:
    """Return the links to commands that were tried."""
    found = []
    for stays_offline in (False, True):
        directory = _directory(session, stays_offline=stays_offline)
        with contextlib.suppress(FileNotFoundError):
            found += [os.path.join(directory, name) for name in os.listdir(directory)]
    return found


def _link(command: str, directory: bytes) -> bytes:
    """Return where the link of a command is kept. Raises NoCommand for what is no command's name."""
    from denizen.launch.command_links import is_command

    name = os.fsencode(command)
    if not is_command(name):
        raise NoCommand(command, (), ())
    return os.path.join(directory, name)


def _directory(session: Session, *, stays_offline: bool) -> bytes:
    return session.paths.state + (b"/tried-offline" if stays_offline else b"/tried")
