"""Subdirectories of glibc for processors (glibc-hwcaps, legacy hwcaps), x86-64 levels, `$PLATFORM` (pure).

Sources: glibc elf/dl-hwcaps.c (_dl_important_hwcaps), sysdeps/*/dl-hwcaps-subdirs.c,
sysdeps/x86/dl-hwcap.h (HWCAP_IMPORTANT), sysdeps/x86/cpu-features.c (init_cpu_features: dl_platform and
dl_hwcap). init_cpu_features sets these since 2.26; before, the platform was the kernel's AT_PLATFORM, and
x86-64 had no important capability.

In every directory searched, each of these is tried before the directory itself:

    since 2.33    glibc-hwcaps/NAME/, best first, NAMEs below
    until 2.36    every combination of tls, the platform and the important capabilities

This is only the list of names; the search finds out which of these files exist.
"""

from __future__ import annotations

from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

NAMED_SINCE = (2, 33)
LEGACY_UNTIL = (2, 36)
# "x86: Set dl_platform and dl_hwcap" (bug 21391).
FROM_CPUID_SINCE = (2, 26)

EM_386, EM_X86_64, EM_AARCH64 = 3, 62, 183

# AT_PLATFORM: the kernel's ELF_PLATFORM (arch/*/include/asm/elf.h), which is constant for x86-64 and for
# all x86 processors in use.
KERNEL_PLATFORMS: dict[int, bytes] = {EM_386: b"i686", EM_X86_64: b"x86_64", EM_AARCH64: b"aarch64"}

# Flags of /proc/cpuinfo required for each x86-64 level above the baseline (psABI, section 3.1.1, "low
# level system information"; the names are Linux's: abm holds LZCNT, pni is SSE3).
X86_64_LEVELS: tuple[tuple[int, frozenset[str]], ...] = (
    (2, frozenset(["cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"])),
    (3, frozenset(["avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"])),
    (4, frozenset(["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"])),
)

INTEL = "GenuineIntel"
# Every x86-64 processor has these; other flags are named as in /proc/cpuinfo (abm is LZCNT).
BASELINE = frozenset(["cmov", "cx8", "sse2"])
# Platform name -> flags a processor must have; Intel's processors only, best first.
INTEL_PLATFORMS: tuple[tuple[bytes, frozenset[str]], ...] = (
    (b"xeon_phi", frozenset(["avx512cd", "avx512er", "avx512pf"])),
    (b"haswell", frozenset(["abm", "avx2", "bmi1", "bmi2", "fma", "movbe", "popcnt"])),
)
# HWCAP_X86_AVX512_1, Intel's processors only: set with all flags of the first and without the second.
AVX512_1, NOT_AVX512_1 = frozenset(["avx512bw", "avx512cd", "avx512dq", "avx512vl"]), "avx512er"


class Cpu(Value):
    """The features of a processor that decide where libraries are found.

    Attributes:
        level: x86-64 micro-architecture level, 1 to 4; 1 for other machines.
        vendor: as cpuid's leaf 0 and /proc/cpuinfo spell it.
        flags: features that the processor has and the kernel enables, with /proc/cpuinfo's names.
    """

    level: int = 1
    vendor: str = ""
    flags: frozenset[str] = BASELINE


def x86_64_level(machine: str, flags: Iterable[str]) -> int:
    """Return the highest level whose flags, and those of every level below, are all in `flags`; 1 to 4.

    Return 0 where the kernel's name for the processor is not x86_64.
    """
    if machine != "x86_64":
        return 0
    present, level = frozenset(flags), 1
    for number, wanted in X86_64_LEVELS:
        if not wanted <= present:
            break
        level = number
    return level


def cpu_of(machine: str, vendor: str, flags: Iterable[str]) -> Cpu:
    """Return the processor with these features; the baseline where none could be read."""
    present = frozenset(flags)
    return Cpu(max(x86_64_level(machine, present), 1), vendor, present or BASELINE)


def platform(machine: int, cpu: Cpu, glibc: tuple[int, int]) -> bytes | None:
    """Return the value of `$PLATFORM`, GLRO(dl_platform); None if it has none."""
    if glibc >= FROM_CPUID_SINCE:
        if machine == EM_386 and "cmov" not in cpu.flags:
            return b"i586" if "cx8" in cpu.flags else None
        if machine == EM_X86_64 and cpu.vendor == INTEL:
            for name, wanted in INTEL_PLATFORMS:
                if wanted <= cpu.flags:
                    return name
    return KERNEL_PLATFORMS.get(machine)


def capabilities(machine: int, cpu: Cpu, glibc: tuple[int, int]) -> tuple[bytes, ...]:
    """Return the names of dl_hwcap & HWCAP_IMPORTANT, lowest bit first; they name legacy directories."""
    if machine == EM_386:
        return (b"sse2",) if "sse2" in cpu.flags else ()
    if machine != EM_X86_64 or glibc < FROM_CPUID_SINCE:
        return ()
    wide = cpu.vendor == INTEL and cpu.flags >= AVX512_1 and NOT_AVX512_1 not in cpu.flags
    return (b"x86_64", b"avx512_1") if wide else (b"x86_64",)


def named(machine: int, cpu: Cpu) -> tuple[bytes, ...]:
    """Return the names below glibc-hwcaps/ that this processor may use, best first."""
    if machine != EM_X86_64:
        return ()
    return tuple(b"x86-64-v%d" % level for level in range(cpu.level, 1, -1))


def subdirectories(machine: int, cpu: Cpu, glibc: tuple[int, int]) -> tuple[bytes, ...]:
    """Return the subdirectories to try in each directory, in order; the last is always b""."""
    subdirs: list[bytes] = []
    if glibc >= NAMED_SINCE:
        subdirs += [b"glibc-hwcaps/" + name + b"/" for name in named(machine, cpu)]
    if glibc <= LEGACY_UNTIL:
        subdirs += _combinations(_legacy_names(machine, cpu, glibc))
    else:
        subdirs.append(b"")
    return tuple(dict.fromkeys(subdirs))


def _legacy_names(machine: int, cpu: Cpu, glibc: tuple[int, int]) -> tuple[bytes, ...]:
    """Return the names of legacy subdirectories, lowest bit first: capabilities, platform, tls.

    There are at most four, so 16 combinations.
    """
    own = platform(machine, cpu, glibc)
    return (*capabilities(machine, cpu, glibc), *(() if own is None else (own,)), b"tls")


def _combinations(names: tuple[bytes, ...]) -> list[bytes]:
    """Return every subset of the names from all to none as a path, higher bits first within each."""
    return [
        b"".join(names[bit] + b"/" for bit in reversed(range(len(names))) if mask >> bit & 1)
        for mask in reversed(range(1 << len(names)))
    ]
