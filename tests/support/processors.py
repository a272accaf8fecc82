"""Processors other than this machine's, by the content of /proc/cpuinfo."""

from denizen.host import X86_64_LEVELS, cpu_level
from denizen.linker import Cpu, cpu_of

_V2 = frozenset(["cmov", "cx8", "sse2"]) | X86_64_LEVELS[0][1]
_V3 = _V2 | X86_64_LEVELS[1][1]
_V4 = _V3 | X86_64_LEVELS[2][1]


def processor(vendor: str, flags: frozenset[str]) -> Cpu:
    """Return a processor as the command line makes it from the host's facts."""
    return cpu_of(cpu_level(flags), vendor, flags)


CORE2 = processor("GenuineIntel", _V2 - {"popcnt", "sse4_1", "sse4_2"})
HASWELL = processor("GenuineIntel", _V3)
SKYLAKE_X = processor("GenuineIntel", _V4)
KNIGHTS_LANDING = processor("GenuineIntel", _V3 | {"avx512f", "avx512cd", "avx512er", "avx512pf"})
EPYC = processor("AuthenticAMD", _V3)
ZEN4 = processor("AuthenticAMD", _V4)
