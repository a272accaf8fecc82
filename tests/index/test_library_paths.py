import pytest

from denizen.index.library_paths import KINDS, DirectoryKind, is_library_name, kind_of

D, M, H, P, C, G = (
    DirectoryKind.DEFAULT,
    DirectoryKind.MULTILIB,
    DirectoryKind.HWCAPS,
    DirectoryKind.PRIVATE,
    DirectoryKind.CROSS,
    DirectoryKind.DEBUG,
)


@pytest.mark.parametrize(
    ("directory", "architecture", "kind"),
    [
        (b"usr/lib/x86_64-linux-gnu", "amd64", D),
        (b"lib/x86_64-linux-gnu", "amd64", D),
        (b"usr/lib", "amd64", D),
        (b"lib64", "amd64", D),
        (b"usr/lib64", "amd64", D),
        (b"usr/lib/i386-linux-gnu", "i386", D),
        (b"usr/lib/aarch64-linux-gnu", "arm64", D),
        (b"usr/lib32", "amd64", M),
        (b"libx32", "amd64", M),
        (b"usr/lib/x86_64-linux-gnu/glibc-hwcaps/x86-64-v3", "amd64", H),
        (b"usr/lib/x86_64-linux-gnu/blas", "amd64", P),
        (b"usr/lib32/private", "amd64", P),
        (b"opt/x/lib", "amd64", P),
        (b"usr/aarch64-linux-gnu/lib", "amd64", C),
        (b"usr/x86_64-linux-gnux32/lib", "amd64", C),
        (b"usr/lib/aarch64-linux-gnu", "amd64", C),
        (b"usr/x86_64-w64-mingw32/lib", "amd64", C),
        (b"usr/lib/debug/lib/x86_64-linux-gnu", "amd64", G),
    ],
)
def test_a_directory_is_judged_by_where_the_loader_of_that_architecture_looks(
    directory: bytes, architecture: str, kind: DirectoryKind
) -> None:
    assert kind_of(directory, architecture) is kind


def test_what_a_loader_searches_comes_before_what_it_does_not() -> None:
    assert [kind for kind in KINDS if kind.is_searched] == sorted(KINDS)[:3]


@pytest.mark.parametrize(
    "name",
    [
        b"libc.so.6", b"libfoo.so", b"libfoo.so.1.2.3", b"ld-linux-x86-64.so.2", b"ld-musl-x86_64.so.1",
        b"libcrypto.so.1.0.2k", b"libcmark-gfm.so.0.29.0.gfm.13",
        b"libLLVM-14.so.1", b"libgtk-3.so.0", b"_ssl.cpython-311-x86_64-linux-gnu.so",
    ],
)  # fmt: skip
def test_these_may_be_asked_for_as_sonames(name: bytes) -> None:
    assert is_library_name(name)


@pytest.mark.parametrize(
    "name",
    [
        b"libfoo.so.1.hmac",
        b"libfoo.so.gz",
        b"foo.so.conf",
        b".so",
        b".so.1",
        b"libfoo.a",
        b"libfoo.so.1.",
        b"so",
    ],
)
def test_these_may_not(name: bytes) -> None:
    assert not is_library_name(name)
