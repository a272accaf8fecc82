from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pytest

from denizen.formats.packages import Package
from denizen.index.index_file import IndexFile, Writer
from denizen.index.index_manifest import IndexEntry
from denizen.index.installed_links import FoundLibrary
from denizen.index.library_index import LibraryIndex, write_libraries
from denizen.index.library_paths import DirectoryKind, is_plugin_place
from denizen.index.locate import Index, affinity, twin
from denizen.sources.base import Snapshot
from denizen.value import replace

LIB = b"usr/lib/x86_64-linux-gnu/"
Offer = tuple[bytes, DirectoryKind]
Opener = Callable[..., Index]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opener]:
    """Makes an index of suites: lists of (package, kind) that have libx.so.1; `users` depend on some."""
    made: list[Index] = []

    def open_index(
        *suites: Sequence[Offer],
        users: Sequence[bytes] = (),
        sections: Mapping[bytes, bytes] = MappingProxyType({}),
    ) -> Index:
        entries = [
            write(tmp_path / f"{number}.libraries", f"suite{number}", offers, users, sections)
            for number, offers in enumerate(suites)
        ]
        made.append(Index(bytes(tmp_path), "amd64", entries=entries))
        return made[-1]

    yield open_index
    for index in made:
        index.close()


def write(
    path: Path, suite: str, offers: Sequence[Offer], users: Sequence[bytes], sections: Mapping[bytes, bytes]
) -> IndexEntry:
    packages = [package(name, section=sections.get(name, b"libs")) for name, _ in offers]
    packages += [package(b"user%d" % number, depends=name) for number, name in enumerate(users)]
    found = [FoundLibrary(b"libx.so.1", kind, name, LIB + b"libx.so.1") for name, kind in offers]
    with open(path, "wb") as stream:
        writer = Writer(stream)
        snapshot = Snapshot("debian", suite, suite, "0" * 32, 1)
        write_libraries(writer, snapshot, "amd64", sorted(packages, key=lambda one: one.name), found)
        writer.finish()
    return IndexEntry("debian", (suite,), suite, "amd64", 0, "0" * 32, 1, 1, path.name)


def package(name: bytes, *, section: bytes = b"libs", depends: bytes = b"") -> Package:
    return Package(name, b"1", b"amd64", b"pool/" + name, 1, b"0" * 64, section=section, depends=depends)


def first(index: Index) -> tuple[bytes, str]:
    found = index.providers(b"libx.so.1")
    return found[0].package, found[0].suite


DEFAULT, ALTERNATIVE, LDCONFIG, PRIVATE = (
    DirectoryKind.DEFAULT,
    DirectoryKind.ALTERNATIVE,
    DirectoryKind.LDCONFIG,
    DirectoryKind.PRIVATE,
)


def test_what_the_loader_finds_in_an_older_suite_comes_before_a_private_copy_in_the_base(
    opened: Opener,
) -> None:
    assert first(opened([(b"app", PRIVATE)], [(b"libx1", DEFAULT)])) == (b"libx1", "suite1")


def test_of_two_suites_that_have_it_the_preferred_one_answers(opened: Opener) -> None:
    assert first(opened([(b"other", ALTERNATIVE)], [(b"libx1", DEFAULT)])) == (b"other", "suite0")


def test_what_ships_the_name_comes_before_what_ldconfig_would_link(opened: Opener) -> None:
    assert first(opened([(b"libx1.2", LDCONFIG)], [(b"libx1", DEFAULT)])) == (b"libx1", "suite1")


def test_the_package_named_after_the_soname_comes_first(opened: Opener) -> None:
    assert first(opened([(b"alpha", DEFAULT), (b"libx1", DEFAULT)]))[0] == b"libx1"


def test_many_times_more_users_say_more_than_the_name(opened: Opener) -> None:
    """libjack0 has 3 packages that depend on it, libjack-jackd2-0 165."""
    offers = [(b"libx-better-1", DEFAULT), (b"libx1", DEFAULT)]
    assert first(opened(offers, users=[b"libx-better-1"] * 100))[0] == b"libx-better-1"
    assert first(opened(offers, users=[b"libx-better-1"] * 3))[0] == b"libx1"


def test_of_packages_with_unrelated_names_the_one_others_depend_on_comes_first(opened: Opener) -> None:
    assert first(opened([(b"alpha", DEFAULT), (b"beta", DEFAULT)], users=[b"beta"]))[0] == b"beta"


def test_a_library_s_own_section_comes_before_others(opened: Opener) -> None:
    offers = [(b"alpha", DEFAULT), (b"beta", DEFAULT)]
    assert first(opened(offers))[0] == b"alpha"
    assert first(opened(offers, sections={b"alpha": b"graphics"}))[0] == b"beta"


@pytest.mark.parametrize(
    ("soname", "package_name", "well"),
    [
        (b"libssl.so.3", b"libssl3", 2),
        (b"libssl.so.3", b"libssl3t64", 2),
        (b"libfoo-1.0.so.2", b"libfoo-1.0-2", 2),
        (b"libstdc++.so.6", b"libstdc++6", 2),
        (b"libjpeg.so.62", b"libjpeg62-turbo", 1),
        (b"libGL.so.1", b"libgl1", 2),
        (b"libcrypto.so.3", b"libssl3", 0),
    ],
)
def test_how_well_a_package_is_named_after_a_soname(soname: bytes, package_name: bytes, well: int) -> None:
    assert affinity(soname, package_name) == well


@pytest.mark.parametrize(
    ("path", "other"),
    [
        (b"/lib/x.so", (b"/usr/lib/x.so",)),
        (b"/usr/lib/x.so", (b"/lib/x.so",)),
        (b"/usr/share/x", ()),
        (b"lib/x.so", ()),
    ],
)
def test_the_other_name_of_a_path_on_a_merged_system(path: bytes, other: tuple[bytes, ...]) -> None:
    assert twin(path) == other


def test_names_near_one_nobody_has_begin_alike(opened: Opener) -> None:
    index = opened([(b"libx1", DEFAULT)])
    assert index.near(b"libx.so.2") == [b"libx.so.1"]
    assert not index.knows(b"libx.so.2")
    assert index.knows(b"libx.so.1")


def recommending(tmp_path: Path) -> Index:
    """Return the index of a library, what it recommends of its own source, and of others."""
    about = {
        b"libsasl2-2": (b"cyrus-sasl2", b"libsasl2-modules (>= 2) | other, sasl2-doc:any, editor, sasl2-doc"),
        b"libsasl2-modules": (b"cyrus-sasl2 (2.1)", b"editor"),
        b"sasl2-doc": (b"cyrus-sasl2", b""),
        b"other": (b"cyrus-sasl2", b""),
        b"editor": (b"", b"editor-data"),
        b"editor-data": (b"editor", b""),
        b"tcc": (b"", b"libc6-dev | libc-dev, gcc, editor, absent"),
        b"libc6-dev": (b"glibc", b""),
        b"gcc": (b"gcc-defaults", b""),
        b"shell": (b"", b"gcc"),
    }
    sections = {b"tcc": b"devel", b"libc6-dev": b"libdevel", b"gcc": b"contrib/devel"}
    packages = [
        replace(package(name), source=source, recommends=recommends, section=sections.get(name, b"utils"))
        for name, (source, recommends) in sorted(about.items())
    ]
    found = [
        FoundLibrary(b"libsasldb.so", PRIVATE, b"libsasl2-modules", LIB + b"sasl2/libsasldb.so"),
        FoundLibrary(b"doc.so", PRIVATE, b"sasl2-doc", LIB + b"perl5/5.36/auto/doc.so"),
    ]
    with open(tmp_path / "made.libraries", "wb") as stream:
        writer = Writer(stream)
        write_libraries(writer, Snapshot("debian", "stable", "stable", "0" * 32, 1), "amd64", packages, found)
        writer.finish()
    entry = IndexEntry("debian", ("stable",), "stable", "amd64", 0, "0" * 32, 1, 1, "made.libraries")
    return Index(bytes(tmp_path), "amd64", entries=[entry])


def test_what_a_package_recommends_of_its_own_source_is_known(tmp_path: Path) -> None:
    index = recommending(tmp_path)

    def recommended(name: bytes) -> list[tuple[bytes, bool]]:
        (one,) = index.packages(name)
        return [(each.package, each.has_plugins) for each in index.recommended(one)]

    assert recommended(b"libsasl2-2") == [(b"libsasl2-modules", True), (b"sasl2-doc", False)]
    assert recommended(b"libsasl2-modules") == []
    assert recommended(b"editor") == [(b"editor-data", False)]
    # A compiler compiles nothing without what it recommends of other sources.
    assert recommended(b"tcc") == [(b"libc6-dev", False), (b"gcc", False)]
    assert recommended(b"shell") == []
    index.close()


def test_an_index_from_before_recommendations_has_none(
    opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = opened([(b"libx1", DEFAULT)])
    monkeypatch.setattr(IndexFile, "has", lambda _self, name: name != "recommended")
    assert index.recommended(index.packages(b"libx1")[0]) == ()


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        (LIB + b"sasl2/libplain.so", True),
        (b"lib/x86_64-linux-gnu/qt5/plugins/sqldrivers/libqsqlite.so", True),
        (LIB + b"libplain.so", False),
        (LIB + b"perl5/5.36/auto/x.so", False),
        (b"usr/lib/python3/dist-packages/x/y.so", False),
        (b"usr/lib/x/y/z.so", False),
    ],
)
def test_a_place_of_plugins_is_below_the_directory_of_libraries(path: bytes, is_one: bool) -> None:  # noqa: FBT001  # of one row
    assert is_plugin_place(path) is is_one


def test_a_context_closes_the_files_though_the_search_raises(
    opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    index, closed = opened([(b"libx1", DEFAULT)]), list[LibraryIndex]()
    used = index.libraries_of(index.entries[0])

    def close(self: LibraryIndex) -> None:
        closed.append(self)

    monkeypatch.setattr(LibraryIndex, "close", close)
    with pytest.raises(ZeroDivisionError), index:
        raise ZeroDivisionError
    assert closed == [used]
