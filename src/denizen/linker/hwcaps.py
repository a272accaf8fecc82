"""Subdirectories for better processors, glibc's two generations of them (pure).

Sources: glibc elf/dl-hwcaps.c (_dl_important_hwcaps), sysdeps/*/dl-hwcaps-subdirs.c,
sysdeps/x86/dl-hwcap.h, sysdeps/x86/cpu-features.c (which names a platform "haswell" or "xeon_phi" for
Intel's processors only).

In every directory searched, each of these is tried before the directory itself:

    since 2.33    glibc-hwcaps/NAME/, best first, NAMEs below
    until 2.36    every combination of tls, the platform and the kernel's capabilities

Which files exist there is for the search to find; this is only the list of names.
"""

from __future__ import annotations

from denizen.value import value

NAMED_SINCE = (2, 33)
LEGACY_UNTIL = (2, 36)
# Four give 15 directories, as many as glibc ever had on x86; the power set must stay small.
MAX_LEGACY = 4

EM_386, EM_X86_64 = 3, 62


@value
class Cpu:
    """What of the processor decides where libraries are found.

    Attributes:
        level: x86-64 micro-architecture level, 1 to 4 (host.cpu_level); 0 for other machines.
        platform: AT_PLATFORM, or the better name glibc gives it; `$PLATFORM` and a legacy directory.
        legacy: names of the hwcap bits glibc counts as important, lowest bit first.
    """

    level: int = 1
    platform: bytes | None = b"x86_64"
    legacy: tuple[bytes, ...] = (b"x86_64",)


def named(machine: int, cpu: Cpu) -> tuple[bytes, ...]:
    """Names below glibc-hwcaps/ that this processor may use, best first."""
    if machine != EM_X86_64:
        return ()
    return tuple(b"x86-64-v%d" % level for level in range(cpu.level, 1, -1))


def subdirectories(machine: int, cpu: Cpu, glibc: tuple[int, int]) -> tuple[bytes, ...]:
    """What is put between a directory and a name, in order; the last is always b""."""
    subdirs: list[bytes] = []
    if glibc >= NAMED_SINCE:
        subdirs += [b"glibc-hwcaps/" + name + b"/" for name in named(machine, cpu)]
    if glibc <= LEGACY_UNTIL:
        subdirs += _combinations(_legacy_names(machine, cpu))
    else:
        subdirs.append(b"")
    return tuple(dict.fromkeys(subdirs))


def _legacy_names(machine: int, cpu: Cpu) -> tuple[bytes, ...]:
    """Lowest bit first: capabilities, then the platform, then tls."""
    if machine == EM_386:
        return (b"sse2", b"i686", b"tls")
    platform = () if cpu.platform is None else (cpu.platform,)
    return (*cpu.legacy, *platform, b"tls")[-MAX_LEGACY:]


def _combinations(names: tuple[bytes, ...]) -> list[bytes]:
    """Every subset from all of them to none, higher bits first within each."""
    return [
        b"".join(names[bit] + b"/" for bit in reversed(range(len(names))) if mask >> bit & 1)
        for mask in reversed(range(1 << len(names)))
    ]
