"""The compiled binaries of this installation: loader, namespace tool, and libraries put into programs."""

from __future__ import annotations

import os

from denizen.disk_view import DiskView
from denizen.errors import HostLacks
from denizen.machines import by_kernel


class LoaderAbsent(HostLacks):
    """The error that this installation has no compiled binaries for the machine.

    No C compiler was there when denizen was installed, or it was installed for another machine.
    """

    machine: str
    WHAT = "this denizen has no loader for {machine:text}"
    WHY = "it is compiled when denizen is installed, and there was no C compiler"
    REMEDY = "install a C compiler and reinstall denizen, or in a source tree: make loader"


def loader_path(machine: str) -> str:
    """Return the path of the loader for this machine (`uname -m`), "" if there is none."""
    return _path("denizen-loader", machine)


def bundle_path(machine: str) -> str:
    """Return the path of the launcher that unpacks an image for this machine, "" if there is none."""
    return _path("denizen-bundle", machine)


def attach_path(machine: str) -> str:
    """Return the path of `denizen-attach` for this machine (`uname -m`), "" if there is none."""
    return _path("denizen-attach", machine)


def enter_path(machine: str) -> str:
    """Return the path of `denizen-enter` for this machine, "" if there is none."""
    return _path("denizen-enter", machine)


def inside_path(machine: str) -> str:
    """Return the path of the library for programs whose file the kernel does not know; "" for none."""
    return _path("denizen-inside", machine)


def exec_path(machine: str) -> str:
    """Return the path of the library for exec of what the kernel cannot start, "" if there is none."""
    return _path("denizen-exec", machine)


def resident_path(machine: str) -> str:
    """Return the path of the library that answers dlopen of missing libraries, "" if there is none."""
    return _path("denizen-resident", machine)


def loader_binary(machine: str) -> bytes:
    """Return the loader's bytes as compiled, without settings.

    Raises:
        LoaderAbsent: this installation has none for the machine.
    """
    return _content(loader_path(machine), machine)


def bundle_binary(machine: str) -> bytes:
    """Return the bytes of the launcher that unpacks an image (see `bundle_path`). Raises LoaderAbsent."""
    return _content(bundle_path(machine), machine)


def attach_binary(machine: str) -> bytes:
    """Return the bytes of `denizen-attach`, which is for few machines. Raises LoaderAbsent."""
    return _content(attach_path(machine), machine)


def enter_binary(machine: str) -> bytes:
    """Return the bytes of `denizen-enter`. Raises LoaderAbsent."""
    return _content(enter_path(machine), machine)


def inside_binary(machine: str) -> bytes:
    """Return the bytes of denizen-inside (see `inside_path`). Raises LoaderAbsent."""
    return _content(inside_path(machine), machine)


def exec_binary(machine: str) -> bytes:
    """Return the bytes of denizen-exec (see `exec_path`). Raises LoaderAbsent."""
    return _content(exec_path(machine), machine)


def resident_binary(machine: str) -> bytes:
    """Return the bytes of denizen-resident (see `resident_path`). Raises LoaderAbsent."""
    return _content(resident_path(machine), machine)


def optional_resident(machine: str) -> bytes:
    """Return the bytes of denizen-resident; b"" for a machine that has none."""
    try:
        return resident_binary(machine)
    except LoaderAbsent:
        return b""


def ldconfig_binary(machine: str) -> bytes:
    """Return the bytes of denizen-ldconfig, which lists the libraries of one program. Raises LoaderAbsent."""
    return _content(_path("denizen-ldconfig", machine), machine)


def _path(stem: str, machine: str) -> str:
    known = by_kernel(machine)
    suffix = known.loader if known is not None else machine
    return os.path.join(os.path.dirname(__file__), f"{stem}-{suffix}")


def _content(path: str, machine: str) -> bytes:
    try:
        return bytes(DiskView().read(os.fsencode(path)))
    except FileNotFoundError:
        raise LoaderAbsent(machine) from None
