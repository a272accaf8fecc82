"""Installation of the loader at the interpreter path of foreign programs; it never replaces a real one."""

from __future__ import annotations

import os
import stat

from denizen.disk import make_directories, write_atomically
from denizen.disk_view import RootedView
from denizen.errors import HostLacks
from denizen.launch.loader.loader_settings import MAX_LOADER, NotALoader, configure_loader, settings_of
from denizen.machines import by_kernel, interpreter_of_kernel
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.launch.loader.loader_settings import LoaderSettings


class RealInterpreter(HostLacks):
    """The error that the path has a dynamic linker already, which every program of this host needs."""

    path: bytes
    WHAT = "{path} is this host's own dynamic linker"
    WHY = "the loader is installed only where there is none"
    REMEDY = "denizen run PROGRAM needs no installation"


class OthersMayChange(HostLacks):
    """The error that another user can write a file that the loader would execute for root."""

    path: bytes
    WHAT = "others than root may change {path}"
    WHY = "a loader that root installs starts denizen for root's programs too"
    REMEDY = "install denizen where root alone may write, or give --decisions: such a loader starts nothing"


class NotInstalled(HostLacks):
    """The error that there is no loader to remove."""

    path: bytes
    WHAT = "no denizen loader is installed at {path}"


class NoLoaderForMachine(HostLacks):
    """The error that no interpreter path is known for the machine."""

    machine: str
    WHAT = "the interpreter path of programs for {machine:text} is not known"


class InstallFailed(HostLacks):
    """The error that the kernel refused the change; `reason` says why."""

    path: bytes
    reason: str
    WHAT = "cannot change {path}"
    WHY = "{reason:text}"
    REMEDY = "run it as root, or give a --prefix you may write"


class Installed(Value):
    """The file at the interpreter's path: none, denizen's loader with its settings, or another."""

    path: bytes
    exists: bool
    settings: LoaderSettings | None


def installed(prefix: bytes, machine: str) -> Installed:
    """Return the state of the interpreter's path below `prefix`. Raises NoLoaderForMachine, InstallFailed."""
    if by_kernel(machine) is None:
        raise NoLoaderForMachine(machine)
    path = _place_in(prefix, interpreter_of_kernel(machine))
    try:
        # Links are followed: a real interpreter often is one. A dangling link counts as not denizen's.
        content = _content(path)
    except (FileNotFoundError, NotADirectoryError):
        return Installed(path, os.path.lexists(path), None)
    except OSError:
        return Installed(path, exists=True, settings=None)
    try:
        return Installed(path, exists=True, settings=settings_of(content))
    except NotALoader:
        return Installed(path, exists=True, settings=None)


def _place_in(prefix: bytes, path: bytes) -> bytes:
    """Return where a path of the system below `prefix` is: links on the way stay in that system, as for it.

    Raises InstallFailed: a directory on the way is a link that leads nowhere there.
    """
    view, plain = RootedView(prefix), os.path.join(prefix, path.lstrip(b"/"))
    directory, below = os.path.split(path)
    while True:
        try:
            place = os.path.join(prefix, view.realpath(directory).lstrip(b"/"), below)
            # Its usual name, unless that leads somewhere else from outside.
            return plain if os.path.realpath(plain) == os.path.realpath(place) else place
        except OSError as error:
            if os.path.lexists(os.path.join(prefix, directory.lstrip(b"/"))):
                raise InstallFailed(plain, error.strerror or "") from error
        directory, last = os.path.split(directory)
        below = os.path.join(last, below)


def install(prefix: bytes, machine: str, binary: bytes, settings: LoaderSettings) -> bytes:
    """Write the loader with its settings at the interpreter's path, or new settings into one that is there.

    Return the path.

    Raises:
        RealInterpreter: the path has another file.
        InstallFailed: the file cannot be written.
    """
    found = installed(prefix, machine)
    if found.exists and found.settings is None:
        raise RealInterpreter(found.path)
    content = configure_loader(binary, settings)
    try:
        make_directories(os.path.dirname(found.path))
        write_atomically(found.path, content, mode=0o755)
    except OSError as error:
        raise InstallFailed(found.path, error.strerror or "") from error
    return found.path


def must_be_roots(path: bytes) -> None:
    """Raise OthersMayChange if a user other than root can replace the file at `path`."""
    for name in {os.path.abspath(path), os.path.realpath(path)}:
        on_the_way = name
        while on_the_way != b"/":
            if _others_may_change(os.lstat(on_the_way)):
                raise OthersMayChange(on_the_way)
            on_the_way = os.path.dirname(on_the_way)


def _others_may_change(facts: os.stat_result) -> bool:
    if stat.S_ISLNK(facts.st_mode):
        return facts.st_uid != 0
    group = stat.S_IWGRP if facts.st_gid else 0
    # In a sticky directory (/tmp) only root can replace root's files.
    shared = facts.st_mode & (group | stat.S_IWOTH) and not facts.st_mode & stat.S_ISVTX
    return facts.st_uid != 0 or bool(shared)


def uninstall(prefix: bytes, machine: str) -> bytes:
    """Delete denizen's loader; return its path.

    Raises:
        RealInterpreter: the path has another file.
        NotInstalled: there is no file.
        InstallFailed: the file cannot be removed.
    """
    found = installed(prefix, machine)
    if not found.exists:
        raise NotInstalled(found.path)
    if found.settings is None:
        raise RealInterpreter(found.path)
    try:
        os.unlink(found.path)
    except OSError as error:
        raise InstallFailed(found.path, error.strerror or "") from error
    return found.path


def _content(path: bytes) -> bytes:
    with open(path, "rb") as stream:
        return stream.read(MAX_LOADER)
