import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.formats.packages import BadPackages, package_of, packages_in, relation_names

DIGEST = b"0123456789abcdef" * 4
GOOD = (
    b"""Package: libssl3t64
Source: openssl (3.5.1-1)
Version: 3.5.1-1+b1
Installed-Size: 6000
Architecture: amd64
Depends: libc6 (>= 2.38),
 zlib1g:any | libz
Provides: libssl3 (= 3.5.1-1+b1)
Recommends: openssl-provider-legacy | other,
 ca-certificates
Description: one
 Version: 9 is not a field here
Section: libs
Priority: optional
Filename: pool/main/o/openssl/libssl3t64_3.5.1-1+b1_amd64.deb
Size: 123
SHA256: %b
"""
    % DIGEST
)


def test_a_paragraph_gives_its_package_with_folded_fields_on_one_line() -> None:
    package = package_of(GOOD)
    assert (package.name, package.version, package.size) == (b"libssl3t64", b"3.5.1-1+b1", 123)
    assert package.depends == b"libc6 (>= 2.38), zlib1g:any | libz"
    assert package.recommends == b"openssl-provider-legacy | other, ca-certificates"
    assert package.source == b"openssl (3.5.1-1)"
    assert (package.essential, package.installed_size, package.pre_depends) == (False, 6000, b"")


@pytest.mark.parametrize("size", [1, 3, 64, 10_000])
def test_where_chunks_are_cut_makes_no_difference(size: int) -> None:
    text = GOOD + b"\n\n" + GOOD.replace(b"libssl3t64", b"other") + b"\n"
    chunks = [text[start : start + size] for start in range(0, len(text), size)]
    assert [package.name for package in packages_in(chunks)] == [b"libssl3t64", b"other"]


def test_a_tab_never_reaches_a_field_for_it_separates_the_columns_of_the_index() -> None:
    (package,) = packages_in([GOOD.replace(b"Depends: libc6 ", b"Depends: libc6\t")])
    assert package.depends.startswith(b"libc6 (>= 2.38)")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (b"Package: libssl3t64\n", b"", "its name"),
        (b"Package: libssl3t64", b"Package: ../evil", "its name"),
        (b"Package: libssl3t64", b"Package: -rf", "its name"),
        (b"Version: 3.5.1-1+b1\n", b"", "no Version"),
        (b"Filename: pool", b"Filename: /pool", "no path below"),
        (b"Filename: pool", b"Filename: ../pool", "no path below"),
        (b"Filename: pool", b"Filename: pool%2f..", "no path below"),
        (b"Filename: pool", b"Filename: pool\x1b[2J", "no path below"),
        (b"Version: 3.5.1", b"Version: 3.5.1\x1b[2J", r"version 3\.5\.1\\x1b\[2J-1\+b1 or"),
        (b"Version: 3.5.1", b"Version: 3.5.1 x", "version 3.5.1 x"),
        (b"Architecture: amd64", b"Architecture: am d64", "architecture am d64 is none"),
        (b"Size: 123", b"Size: -1", "not a size"),
        (b"Size: 123", b"Size: 99999999999999", "not a size"),
        (DIGEST, DIGEST[1:], "not 64 hex digits"),
        (DIGEST, b"G" * 64, "not 64 hex digits"),
    ],
)
def test_what_a_package_must_not_be_is_refused(old: bytes, new: bytes, problem: str) -> None:
    assert old in GOOD
    with pytest.raises(BadPackages, match=problem):
        package_of(GOOD.replace(old, new))


def test_a_paragraph_without_end_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(BadPackages, match="no end"):
        list(packages_in(b"x" * 65536 for _ in range(1 << 16)))


def test_relations_name_every_alternative_without_version_architecture_and_qualifier() -> None:
    assert relation_names(b"a (>= 1), b:any | c [amd64], d") == [b"a", b"b", b"c", b"d"]


@given(st.binary(max_size=300))
def test_any_bytes_are_packages_or_refused(text: bytes) -> None:
    try:
        list(packages_in([GOOD[:120], text]))
    except BadPackages:
        return
