"""The architecture of packages for this machine."""

from __future__ import annotations

import os

from denizen.errors import HostLacks
from denizen.machines import BITS, by_kernel, kernel_behind


class UnsupportedArchitecture(HostLacks):
    """The error that Debian has no architecture for this processor."""

    machine: str
    WHAT = "there are no packages for this machine's architecture, {machine:text}"
    REMEDY = "--arch ARCHITECTURE"


def own_architecture() -> str:
    """Return this machine's architecture by Debian's name. Raises UnsupportedArchitecture."""
    # From os.uname, as host.machine_name has it: to import `platform` costs 9 ms, `host` 0.3 of `find`'s 4.
    name = kernel_behind(os.uname().machine, bits=BITS)
    machine = by_kernel(name)
    if machine is None or not machine.debian:
        raise UnsupportedArchitecture(name)
    return machine.debian
