"""The compiled parts this installation carries: what loads, enters namespaces, goes into programs."""

from __future__ import annotations

import os

from denizen.disk import DiskView
from denizen.errors import HostLacks
from denizen.machines import by_kernel


class LoaderAbsent(HostLacks):
    """denizen was installed where no C compiler was, or for another machine."""

    machine: str
    WHAT = "this denizen has no loader for {machine:text}"
    WHY = "it is compiled when denizen is installed, and there was no C compiler"
    REMEDY = "install a C compiler and reinstall denizen, or in a source tree: make loader"


def loader_path(machine: str) -> str:
    """Where the loader for this machine (as `uname -m` has it) is, if it is there."""
    return _path("denizen-loader", machine)


def enter_path(machine: str) -> str:
    """Where `denizen-enter` for this machine is, if it is there."""
    return _path("denizen-enter", machine)


def inside_path(machine: str) -> str:
    """Where the library for programs that the kernel does not know is, if it is there."""
    return _path("denizen-inside", machine)


def resident_path(machine: str) -> str:
    """Where the library that answers for what programs open is, if it is there."""
    return _path("denizen-resident", machine)


def loader_binary(machine: str) -> bytes:
    """The loader as compiled, without settings.

    Raises:
        LoaderAbsent: this installation has none for the machine.
    """
    return _content(loader_path(machine), machine)


def enter_binary(machine: str) -> bytes:
    """`denizen-enter` as compiled. Raises LoaderAbsent."""
    return _content(enter_path(machine), machine)


def inside_binary(machine: str) -> bytes:
    """That library as compiled. Raises LoaderAbsent."""
    return _content(inside_path(machine), machine)


def resident_binary(machine: str) -> bytes:
    """That library as compiled. Raises LoaderAbsent."""
    return _content(resident_path(machine), machine)


def _path(stem: str, machine: str) -> str:
    known = by_kernel(machine)
    suffix = known.loader if known is not None else machine
    return os.path.join(os.path.dirname(__file__), f"{stem}-{suffix}")


def _content(path: str, machine: str) -> bytes:
    try:
        return bytes(DiskView().read(os.fsencode(path)))
    except FileNotFoundError:
        raise LoaderAbsent(machine) from None
