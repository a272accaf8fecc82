"""Processors other than this machine's, by the content of /proc/cpuinfo."""

from denizen.linker import Cpu, cpu_of
from denizen.linker.hwcaps import X86_64_LEVELS

LEVEL_2 = frozenset(["cmov", "cx8", "sse2"]) | X86_64_LEVELS[0][1]
LEVEL_3 = LEVEL_2 | X86_64_LEVELS[1][1]
LEVEL_4 = LEVEL_3 | X86_64_LEVELS[2][1]


def processor(vendor: str, flags: frozenset[str]) -> Cpu:
    """Return a processor as the command line makes it from the host's facts."""
    return cpu_of("x86_64", vendor, flags)


CORE2 = processor("GenuineIntel", LEVEL_2 - {"popcnt", "sse4_1", "sse4_2"})
HASWELL = processor("GenuineIntel", LEVEL_3)
SKYLAKE_X = processor("GenuineIntel", LEVEL_4)
KNIGHTS_LANDING = processor("GenuineIntel", LEVEL_3 | {"avx512f", "avx512cd", "avx512er", "avx512pf"})
EPYC = processor("AuthenticAMD", LEVEL_3)
ZEN4 = processor("AuthenticAMD", LEVEL_4)
