from denizen.linker.hwcaps import EM_386, EM_X86_64, Cpu, named, subdirectories

V3 = Cpu(level=3)


def test_named_directories_come_best_first_and_only_as_far_as_the_processor_goes() -> None:
    assert named(EM_X86_64, V3) == (b"x86-64-v3", b"x86-64-v2")
    assert named(EM_X86_64, Cpu(level=1)) == ()
    assert named(183, V3) == ()


def test_from_2_37_on_there_are_named_directories_alone() -> None:
    assert subdirectories(EM_X86_64, V3, (2, 41)) == (
        b"glibc-hwcaps/x86-64-v3/",
        b"glibc-hwcaps/x86-64-v2/",
        b"",
    )


def test_2_33_to_2_36_have_both_generations() -> None:
    assert subdirectories(EM_X86_64, Cpu(level=2, platform=b"haswell"), (2, 36)) == (
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


def test_before_2_33_there_are_legacy_directories_alone() -> None:
    assert subdirectories(EM_X86_64, V3, (2, 31))[0] == b"tls/x86_64/x86_64/"


def test_i386_has_sse2_and_i686() -> None:
    assert subdirectories(EM_386, V3, (2, 36))[:3] == (b"tls/i686/sse2/", b"tls/i686/", b"tls/sse2/")
    assert subdirectories(EM_386, V3, (2, 37)) == (b"",)
