"""Subdirectories for better processors, glibc's two generations of them (pure).

Sources: glibc elf/dl-hwcaps.c (_dl_important_hwcaps), sysdeps/*/dl-hwcaps-subdirs.c,
sysdeps/x86/dl-hwcap.h, sysdeps/x86/cpu-features.c, sysdeps/x86/get-isa-level.h; the x86-64 psABI's table
of micro-architecture levels.

In every directory searched, each of these is tried before the directory itself:

    since 2.33    glibc-hwcaps/NAME/, best first, NAMEs below
    until 2.36    every combination of tls, the platform and the kernel's capabilities

Which files exist there is for the search to find; this is only the list of names.
"""

from __future__ import annotations

from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

NAMED_SINCE = (2, 33)
LEGACY_UNTIL = (2, 36)
# Four give 15 directories, as many as glibc ever had on x86; the power set must stay small.
MAX_LEGACY = 4

EM_386, EM_X86_64 = 3, 62

# What /proc/cpuinfo must show for each level, the one below it included (psABI table 3.1 in the kernel's
# words; pni is SSE3, abm LZCNT).
X86_64_LEVELS: tuple[frozenset[str], ...] = (
    frozenset({"cmov", "cx8", "fpu", "fxsr", "mmx", "syscall", "sse", "sse2"}),
    frozenset({"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"}),
    frozenset({"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"}),
    frozenset({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}),
)
# cpu-features.c names a platform for Intel's processors only.
HASWELL = frozenset({"avx2", "bmi1", "bmi2", "abm", "movbe", "popcnt", "fma"})
AVX512_1 = frozenset({"avx512cd", "avx512bw", "avx512dq", "avx512vl"})


@value
class Cpu:
    """What of the processor decides where libraries are found.

    Attributes:
        level: x86-64 micro-architecture level, 1 to 4; 0 for other machines.
        platform: AT_PLATFORM, or the better name glibc gives it; `$PLATFORM` and a legacy directory.
        legacy: names of the hwcap bits glibc counts as important, lowest bit first.
    """

    level: int = 1
    platform: bytes | None = b"x86_64"
    legacy: tuple[bytes, ...] = (b"x86_64",)


def cpu_from_flags(flags: Collection[str], vendor: str) -> Cpu:
    """The x86-64 processor that /proc/cpuinfo describes by `flags` and `vendor_id`."""
    level = 0
    for wanted in X86_64_LEVELS:
        if not wanted.issubset(flags):
            break
        level += 1
    intel = vendor == "GenuineIntel"
    platform = b"haswell" if intel and HASWELL.issubset(flags) else b"x86_64"
    legacy = (b"x86_64", b"avx512_1") if intel and AVX512_1.issubset(flags) else (b"x86_64",)
    return Cpu(max(level, 1), platform, legacy)


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
