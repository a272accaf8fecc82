"""Subdirectories for better processors, glibc's two generations of them, and `$PLATFORM` (pure).

Sources: glibc elf/dl-hwcaps.c (_dl_important_hwcaps), sysdeps/*/dl-hwcaps-subdirs.c,
sysdeps/x86/dl-hwcap.h (HWCAP_IMPORTANT), sysdeps/x86/cpu-features.c (init_cpu_features: dl_platform and
dl_hwcap). The last has done so since 2.26; before, the platform was the kernel's AT_PLATFORM, and
nothing counted as an important capability of x86-64.

In every directory searched, each of these is tried before the directory itself:

    since 2.33    glibc-hwcaps/NAME/, best first, NAMEs below
    until 2.36    every combination of tls, the platform and the important capabilities

Which files exist there is for the search to find; this is only the list of names.
"""

from __future__ import annotations

from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

NAMED_SINCE = (2, 33)
LEGACY_UNTIL = (2, 36)
# "x86: Set dl_platform and dl_hwcap" (bug 21391).
FROM_CPUID_SINCE = (2, 26)

EM_386, EM_X86_64, EM_AARCH64 = 3, 62, 183

# AT_PLATFORM: the kernel's ELF_PLATFORM (arch/*/include/asm/elf.h), which for x86 is as good as constant.
KERNEL_PLATFORMS: dict[int, bytes] = {EM_386: b"i686", EM_X86_64: b"x86_64", EM_AARCH64: b"aarch64"}

INTEL = "GenuineIntel"
# Every x86-64 processor has these; other flags are named as in /proc/cpuinfo (abm is LZCNT).
BASELINE = frozenset(["cmov", "cx8", "sse2"])
# Intel's processors only, best first: whoever has all of them goes by that name.
INTEL_PLATFORMS: tuple[tuple[bytes, frozenset[str]], ...] = (
    (b"xeon_phi", frozenset(["avx512cd", "avx512er", "avx512pf"])),
    (b"haswell", frozenset(["abm", "avx2", "bmi1", "bmi2", "fma", "movbe", "popcnt"])),
)
# HWCAP_X86_AVX512_1, Intel's processors only: all of the first and not the second.
AVX512_1, NOT_AVX512_1 = frozenset(["avx512bw", "avx512cd", "avx512dq", "avx512vl"]), "avx512er"


@value
class Cpu:
    """What of the processor decides where libraries are found.

    Attributes:
        level: x86-64 micro-architecture level, 1 to 4 (host.cpu_level); 0 for other machines.
        vendor: as cpuid's leaf 0 and /proc/cpuinfo spell it.
        flags: what it can do and the kernel lets it do, in /proc/cpuinfo's words.
    """

    level: int = 1
    vendor: str = ""
    flags: frozenset[str] = BASELINE


def cpu_of(level: int, vendor: str, flags: Iterable[str]) -> Cpu:
    """Return the processor with these facts; where none could be read, the least of its kind."""
    return Cpu(max(level, 1), vendor, frozenset(flags) or BASELINE)


def platform(machine: int, cpu: Cpu, glibc: tuple[int, int]) -> bytes | None:
    """Return what `$PLATFORM` stands for, GLRO(dl_platform); None: nothing."""
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
        subdirs += _combinations(_legacy_names(machine, cpu, glibc))
    else:
        subdirs.append(b"")
    return tuple(dict.fromkeys(subdirs))


def _legacy_names(machine: int, cpu: Cpu, glibc: tuple[int, int]) -> tuple[bytes, ...]:
    """Lowest bit first: capabilities, then the platform, then tls; four at most, so 16 combinations."""
    own = platform(machine, cpu, glibc)
    return (*capabilities(machine, cpu, glibc), *(() if own is None else (own,)), b"tls")


def _combinations(names: tuple[bytes, ...]) -> list[bytes]:
    """Every subset from all of them to none, higher bits first within each."""
    return [
        b"".join(names[bit] + b"/" for bit in reversed(range(len(names))) if mask >> bit & 1)
        for mask in reversed(range(1 << len(names)))
    ]
