"""Libraries of the host's kernel drivers, for a program whose other libraries are packages'.

They must have the kernel module's exact version, so no package has them ([[host]] in resolve/rules.toml),
and the dynamic linker of a package searches no directory of the host. The program gets them by the paths in
the host's ld.so.cache, as an environment does (fhs/driver_libraries.py): where a driver is updated, its links
lead on.
"""

from __future__ import annotations

from denizen.errors import EXIT_CANNOT_START, HostLacks
from denizen.fhs.entry_command import drivers_of_host
from denizen.launch.decisions.link_decision import StillMissing
from denizen.machines import cache_flags
from denizen.resolve.rule_packs import load_rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.errors import DenizenError
    from denizen.launch.program import Program


class DriverAbsent(HostLacks):
    """The error that a program is linked with the library of a driver that this host has not."""

    exit_status = EXIT_CANNOT_START
    program: bytes
    soname: bytes
    reason: str
    WHAT = "{program} needs {soname} of this host"
    WHY = "no package will do: it {reason:text}"
    REMEDY = "install the driver on this host"


def host_drivers(program: Program) -> dict[bytes, bytes]:
    """Return the libraries of this host's drivers that are of the program's kind: name -> path."""
    if program.image is None:
        return {}
    header = program.image.header
    flags = cache_flags(header.machine, header.bits, little=header.little)
    return drivers_of_host(flags, lambda soname: bool(load_rules().host_reason(soname)))


def refuse_without_driver(program: bytes, problem: DenizenError) -> None:
    """Raise DriverAbsent if the problem is that a driver's library is missing."""
    if not isinstance(problem, StillMissing):
        return
    for soname in problem.sonames:
        reason = load_rules().host_reason(soname)
        if reason:
            raise DriverAbsent(program, soname, reason) from problem
