import pytest

from denizen.linker.hwcaps import (
    EM_386,
    EM_AARCH64,
    EM_X86_64,
    X86_64_LEVELS,
    Cpu,
    capabilities,
    cpu_of,
    named,
    platform,
    subdirectories,
    x86_64_level,
)
from tests.support.processors import CORE2, EPYC, HASWELL, KNIGHTS_LANDING, SKYLAKE_X, ZEN4

V3 = Cpu(level=3)


def test_named_directories_come_best_first_and_only_as_far_as_the_processor_goes() -> None:
    assert named(EM_X86_64, V3) == (b"x86-64-v3", b"x86-64-v2")
    assert named(EM_X86_64, Cpu(level=1)) == ()
    assert named(183, V3) == ()


def test_from_2_37_on_there_are_named_directories_alone() -> None:
    for cpu in (V3, HASWELL):
        assert subdirectories(EM_X86_64, cpu, (2, 41)) == (
            b"glibc-hwcaps/x86-64-v3/",
            b"glibc-hwcaps/x86-64-v2/",
            b"",
        )


@pytest.mark.parametrize(
    ("cpu", "name", "important"),
    [
        (CORE2, b"x86_64", (b"x86_64",)),
        (HASWELL, b"haswell", (b"x86_64",)),
        (SKYLAKE_X, b"haswell", (b"x86_64", b"avx512_1")),
        (KNIGHTS_LANDING, b"xeon_phi", (b"x86_64",)),
        (EPYC, b"x86_64", (b"x86_64",)),
        (ZEN4, b"x86_64", (b"x86_64",)),
        (cpu_of("x86_64", "", ()), b"x86_64", (b"x86_64",)),
    ],
)
def test_from_2_26_on_intels_processors_have_names_of_their_own(
    cpu: Cpu, name: bytes, important: tuple[bytes, ...]
) -> None:
    for glibc in ((2, 26), (2, 31), (2, 36)):
        assert platform(EM_X86_64, cpu, glibc) == name
        assert capabilities(EM_X86_64, cpu, glibc) == important


def test_platform_keeps_its_name_when_its_directories_are_gone() -> None:
    assert platform(EM_X86_64, HASWELL, (2, 41)) == b"haswell"


def test_before_2_26_the_kernel_alone_names_the_platform() -> None:
    for cpu in (CORE2, SKYLAKE_X, ZEN4):
        assert subdirectories(EM_X86_64, cpu, (2, 17)) == (b"tls/x86_64/", b"tls/", b"x86_64/", b"")


def test_2_33_to_2_36_have_both_generations() -> None:
    assert subdirectories(EM_X86_64, HASWELL, (2, 36)) == (
        b"glibc-hwcaps/x86-64-v3/",
        b"glibc-hwcaps/x86-64-v2/",
        b"tls/haswell/x86_64/",
        b"tls/haswell/",
        b"tls/x86_64/",
        b"tls/",
        b"haswell/x86_64/",
        b"haswell/",
        b"x86_64/",
        b"",
    )


def test_avx512_stands_between_the_platform_and_x86_64() -> None:
    subdirs = subdirectories(EM_X86_64, SKYLAKE_X, (2, 31))
    assert subdirs[:3] == (b"tls/haswell/avx512_1/x86_64/", b"tls/haswell/avx512_1/", b"tls/haswell/x86_64/")
    assert len(subdirs) == 16


def test_before_2_33_there_are_legacy_directories_alone() -> None:
    assert subdirectories(EM_X86_64, V3, (2, 31))[0] == b"tls/x86_64/x86_64/"


@pytest.mark.parametrize("cpu", [HASWELL, SKYLAKE_X, ZEN4])
def test_i386_has_sse2_and_i686_whoever_made_it(cpu: Cpu) -> None:
    assert subdirectories(EM_386, cpu, (2, 36))[:3] == (b"tls/i686/sse2/", b"tls/i686/", b"tls/sse2/")
    assert subdirectories(EM_386, cpu, (2, 37)) == (b"",)


def test_an_old_32_bit_processor_has_what_it_can_do() -> None:
    pentium3 = cpu_of("i686", "GenuineIntel", ["cmov", "cx8", "sse"])
    assert subdirectories(EM_386, pentium3, (2, 36)) == (b"tls/i686/", b"tls/", b"i686/", b"")
    assert platform(EM_386, cpu_of("i686", "GenuineIntel", ["cx8"]), (2, 36)) == b"i586"


def test_other_machines_have_the_kernels_platform() -> None:
    assert platform(EM_AARCH64, cpu_of("aarch64", "", ()), (2, 36)) == b"aarch64"
    assert platform(8, cpu_of("mips", "", ()), (2, 36)) is None


def test_a_level_needs_the_flags_of_every_level_below_it() -> None:
    (_, two), (_, three), (_, four) = X86_64_LEVELS
    assert [x86_64_level("x86_64", flags) for flags in ((), two, two | three, two | three | four)] == [
        1,
        2,
        3,
        4,
    ]
    assert x86_64_level("x86_64", two | four) == 2
    assert x86_64_level("x86_64", three) == 1
    assert x86_64_level("i686", two | three) == 0
