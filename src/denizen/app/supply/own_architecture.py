"""The architecture of packages for this machine."""

from __future__ import annotations

from denizen.errors import HostLacks
from denizen.host import machine_name
from denizen.machines import by_kernel


class UnsupportedArchitecture(HostLacks):
    """The error that Debian has no architecture for this processor."""

    machine: str
    WHAT = "there are no packages for this machine's architecture, {machine:text}"
    REMEDY = "--arch ARCHITECTURE"


def own_architecture() -> str:
    """Return this machine's architecture by Debian's name. Raises UnsupportedArchitecture."""
    # From os.uname: to import `platform` costs 9 ms.
    name = machine_name()
    machine = by_kernel(name)
    if machine is None or not machine.debian:
        raise UnsupportedArchitecture(name)
    return machine.debian
