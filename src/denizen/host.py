"""Properties of this machine, read once into a frozen `Host`.

No rules are here: the rules that use these properties take them as values, so that they can
be applied to another machine, and tests can invent one.
"""

from __future__ import annotations

import os

from denizen.machines import BITS, kernel_behind
from denizen.value import Value


class Host(Value):
    """The properties of this machine that matter for starting programs.

    Attributes:
        machine: the kernel's name for the processor ("x86_64"), uname -m without a personality.
        kernel: its release as numbers, (6, 1, 0).
        cpu_vendor: the maker of an x86 processor, as cpuid spells it ("GenuineIntel"); "" if unknown.
        cpu_flags: /proc/cpuinfo's flags of an x86 processor: features it has and the kernel enables.
        uid: the effective user.
        gids: its groups.
    """

    machine: str
    kernel: tuple[int, int, int]
    uid: int
    gids: frozenset[int]
    cpu_vendor: str = ""
    cpu_flags: frozenset[str] = frozenset()


def processors() -> int:
    """Return the number of processors that this process may use; the machine may have more."""
    return len(os.sched_getaffinity(0))


def machine_name() -> str:
    """Return the kernel's name for the processor, as `uname -m` gives it without a personality."""
    return kernel_behind(os.uname().machine, bits=BITS)


def gather_host() -> Host:
    """Return the properties of this machine; takes under a millisecond."""
    name, machine = os.uname(), machine_name()
    vendor, flags = read_cpuinfo(_cpuinfo())
    release, groups = kernel_release(name.release), frozenset(os.getgroups())
    return Host(machine, release, os.geteuid(), groups, vendor, flags)


def working_directory() -> bytes:
    """Return the working directory; the kernel's link to it where it was removed, below which nothing is."""
    try:
        return os.getcwdb()
    except FileNotFoundError:
        return b"/proc/self/cwd"


def kernel_release(release: str) -> tuple[int, int, int]:
    """Return the release as numbers: (6, 1, 0) of "6.1.0-13-amd64".

    A part that is not a number counts as 0.
    """
    numbers: list[int] = []
    for part in release.split(".", 3)[:3]:
        digits = part[: next((at for at, c in enumerate(part) if not c.isdigit()), len(part))]
        numbers.append(int(digits or "0"))
    major, minor, patch = (*numbers, 0, 0, 0)[:3]
    return major, minor, patch


def read_cpuinfo(text: bytes) -> tuple[str, frozenset[str]]:
    """Return the vendor and the flags of the first x86 processor in /proc/cpuinfo's `text`."""
    facts: dict[bytes, str] = {}
    for line in text.split(b"\n"):
        name, _, content = line.partition(b":")
        facts.setdefault(name.strip(), content.decode("ascii", "replace").strip())
    return facts.get(b"vendor_id", ""), frozenset(facts.get(b"flags", "").split())


def _cpuinfo() -> bytes:
    try:
        with open("/proc/cpuinfo", "rb") as stream:
            # The first processor's block is within the first pages; all processors have the same flags.
            return stream.read(16384)
    except OSError:
        return b""  # no /proc: then the baseline is assumed, which every x86-64 has
