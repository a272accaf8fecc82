from denizen.index.index_builder import listed_libraries
from denizen.index.installed_links import ALTERNATIVES, FoundLibrary, ldconfig_links, with_alternatives
from denizen.index.library_paths import DirectoryKind

LIB = b"usr/lib/x86_64-linux-gnu"
PROVIDES = {
    b"libblas3": b"libblas.so.3",
    b"libopenblas0-pthread": b"libblas.so.3, liblapack.so.3 (= 3)",
    b"other": b"libblas.so",
}


def listed(*lines: tuple[bytes, bytes]) -> list[FoundLibrary]:
    return list(listed_libraries(iter(lines), "amd64"))


def alternatives(found: list[FoundLibrary]) -> list[FoundLibrary]:
    return list(with_alternatives(found, lambda name: PROVIDES.get(name, b""), "amd64"))


def test_an_alternative_is_known_by_the_virtual_package_named_after_its_soname() -> None:
    (entry,) = alternatives(listed((LIB + b"/blas/libblas.so.3", b"libs/libblas3")))
    assert entry == FoundLibrary(
        b"libblas.so.3",
        DirectoryKind.ALTERNATIVE,
        b"libblas3",
        LIB + b"/blas/libblas.so.3",
        LIB + b"/libblas.so.3",
    )


def test_every_package_that_provides_it_is_an_alternative() -> None:
    found = alternatives(
        listed(
            (LIB + b"/blas/libblas.so.3", b"libs/libblas3"),
            (LIB + b"/openblas-pthread/libblas.so.3", b"libs/libopenblas0-pthread"),
            (LIB + b"/openblas-pthread/liblapack.so.3", b"libs/libopenblas0-pthread"),
        )
    )
    assert [(entry.package, entry.soname) for entry in found] == [
        (b"libblas3", b"libblas.so.3"),
        (b"libopenblas0-pthread", b"libblas.so.3"),
        (b"libopenblas0-pthread", b"liblapack.so.3"),
    ]
    assert {entry.kind for entry in found} == {DirectoryKind.ALTERNATIVE}


def test_alternatives_without_a_virtual_package_are_listed_by_hand() -> None:
    for soname, directories in ALTERNATIVES.items():
        for directory in directories:
            path = LIB + b"/" + directory + b"/" + soname
            (entry,) = alternatives(listed((path, b"libs/whoever")))
            assert (entry.kind, entry.link) == (DirectoryKind.ALTERNATIVE, LIB + b"/" + soname)


def test_a_private_copy_that_no_script_links_to_stays_private() -> None:
    found = alternatives(
        listed(
            (b"opt/x/libblas.so.3", b"x/x"),
            (LIB + b"/x/libblas.so.3", b"x/other"),
            (LIB + b"/x/libopenblas.so.0", b"x/x"),
        )
    )
    assert {(entry.kind, entry.link) for entry in found} == {(DirectoryKind.PRIVATE, b"")}


def test_ldconfig_makes_the_soname_of_a_library_shipped_without_its_link() -> None:
    links = list(ldconfig_links(listed((LIB + b"/libx.so.1.2.3", b"libs/libx1"))))
    assert [(entry.soname, entry.kind, entry.path, entry.link) for entry in links] == [
        (b"libx.so.1", DirectoryKind.LDCONFIG, LIB + b"/libx.so.1.2.3", LIB + b"/libx.so.1"),
        (b"libx.so.1.2", DirectoryKind.LDCONFIG, LIB + b"/libx.so.1.2.3", LIB + b"/libx.so.1.2"),
    ]


def test_a_soname_that_is_shipped_is_not_guessed() -> None:
    found = listed((LIB + b"/libx.so.1", b"libs/libx1"), (LIB + b"/libx.so.1.2", b"libs/libx1"))
    assert list(ldconfig_links(found)) == []


def test_ldconfig_does_nothing_in_private_directories() -> None:
    assert list(ldconfig_links(listed((b"opt/x/libx.so.1.2", b"x/x")))) == []


def test_a_diverted_path_has_both_its_owners() -> None:
    found = listed((LIB + b"/libGL.so.1", b"libs/libgl1,non-free/libs/nvidia-gl"))
    assert [entry.package for entry in found] == [b"libgl1", b"nvidia-gl"]
