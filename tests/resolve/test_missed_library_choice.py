"""What a running process gets for a library that it misses: it goes with what is loaded, or nothing comes."""

import pytest

from denizen.fileview import Executable, MemoryView
from denizen.resolve.cache.cached_view import CachedView
from denizen.resolve.engine.catalogue import Sources
from denizen.resolve.existing_libraries import ProcessLibraries
from denizen.resolve.missed_library_choice import counted, library_added
from denizen.resolve.resolution import Resolution
from denizen.resolve.rule_packs import load_rules
from tests.support.memory_archive import (
    DIRECTORY,
    PROGRAM,
    PackageArchive,
    libc,
    library,
    package_of,
    program,
    put,
)

LIBC = b"libc.so.6"
PRIVATE = [(b"fGLIBC_PRIVATE", b"GLIBC_PRIVATE", LIBC)]


@pytest.fixture
def package_archive() -> PackageArchive:
    """Two suites: "new" with glibc 2.41, "old" with 2.36."""
    made = PackageArchive()
    mvec = {DIRECTORY + b"libmvec.so.1": library(b"libmvec.so.1", LIBC, asks=PRIVATE)}
    newer = libc(b"GLIBC_2.36", b"GLIBC_2.41", b"GLIBC_PRIVATE") | mvec
    made.add("new", b"libc6", newer, version=b"2.41-1")
    made.add("old", b"libc6", libc(b"GLIBC_2.36", b"GLIBC_PRIVATE") | mvec, version=b"2.36-9")
    return made


def brought(
    package_archive: PackageArchive, soname: bytes, release: bytes, **loaded: bytes
) -> Resolution | None:
    """What comes into a process of glibc `release`; `loaded` are other libraries, dots written "_"."""
    files = {b"/srv/" + LIBC: libc(release, b"GLIBC_PRIVATE")[DIRECTORY + LIBC]}
    if release == b"GLIBC_2.41":
        versions = (b"GLIBC_2.36", release, b"GLIBC_PRIVATE")
        files = {b"/srv/" + LIBC: libc(*versions)[DIRECTORY + LIBC]}
    files |= {b"/srv/" + name.replace("_", ".").encode(): content for name, content in loaded.items()}
    paths = {path.rpartition(b"/")[2]: path for path in files}
    view = CachedView(
        MemoryView({path: Executable(content) for path, content in {**files, PROGRAM: program()}.items()})
    )
    sources = Sources(
        package_archive,
        package_archive,
        load_rules(),
        CachedView(package_archive.disk()),
        {"new": "1", "old": "2"},
    )
    return library_added(view, PROGRAM, ProcessLibraries(view, paths), sources, soname)


def test_what_is_missed_comes_with_what_it_needs_and_the_process_has_not(
    package_archive: PackageArchive,
) -> None:
    package_archive.add("new", b"liba1", put(b"liba.so.1", b"libb.so.1", b"libhas.so.1"))
    package_archive.add("new", b"libb1", put(b"libb.so.1"))
    package_archive.add("new", b"libhas1", put(b"libhas.so.1"))
    made = brought(package_archive, b"liba.so.1", b"GLIBC_2.41", libhas_so_1=library(b"libhas.so.1", LIBC))
    assert made is not None
    assert [pin.name for pin in made.packages] == [b"liba1", b"libb1"]
    assert made.interpreter is None


def test_what_asks_for_a_newer_glibc_than_runs_is_passed_over_for_another_suites(
    package_archive: PackageArchive,
) -> None:
    newer = [(b"fGLIBC_2.41", b"GLIBC_2.41", LIBC)]
    package_archive.add("new", b"liba1", put(b"liba.so.1", asks=newer))
    assert brought(package_archive, b"liba.so.1", b"GLIBC_2.36") is None
    package_archive.add("old", b"liba1", put(b"liba.so.1"))
    made = brought(package_archive, b"liba.so.1", b"GLIBC_2.36")
    assert made is not None
    assert package_of(made, b"liba.so.1") == (b"liba1", "old")


def test_the_suite_of_the_glibc_that_runs_comes_first(package_archive: PackageArchive) -> None:
    for suite in ("new", "old"):
        package_archive.add(suite, b"liba1", put(b"liba.so.1"))
    for release, suite in ((b"GLIBC_2.36", "old"), (b"GLIBC_2.41", "new")):
        made = brought(package_archive, b"liba.so.1", release)
        assert made is not None
        assert package_of(made, b"liba.so.1") == (b"liba1", suite)


def test_what_asks_more_of_a_loaded_library_than_that_has_is_passed_over(
    package_archive: PackageArchive,
) -> None:
    asks = [(b"f", b"V_2", b"libhas.so.1")]
    package_archive.add("new", b"liba1", put(b"liba.so.1", b"libhas.so.1", asks=asks))
    has = library(b"libhas.so.1", LIBC, defines=[(b"e", b"V_1")])
    assert brought(package_archive, b"liba.so.1", b"GLIBC_2.41", libhas_so_1=has) is None


def test_a_need_that_cannot_come_keeps_the_one_that_has_it_out(package_archive: PackageArchive) -> None:
    package_archive.add("new", b"liba1", put(b"liba.so.1", b"libnobody.so.1"))
    assert brought(package_archive, b"liba.so.1", b"GLIBC_2.41") is None


@pytest.mark.parametrize(("release", "suite"), [(b"GLIBC_2.41", "new"), (b"GLIBC_2.36", "old")])
def test_a_part_of_glibc_is_of_the_release_that_runs(
    package_archive: PackageArchive, release: bytes, suite: str
) -> None:
    made = brought(package_archive, b"libmvec.so.1", release)
    assert made is not None
    assert package_of(made, b"libmvec.so.1") == (b"libc6", suite)


def test_a_part_of_a_glibc_that_no_suite_has_does_not_come(package_archive: PackageArchive) -> None:
    assert brought(package_archive, b"libmvec.so.1", b"GLIBC_2.39") is None


def test_a_symbol_that_a_loaded_library_lacks_in_the_same_version_keeps_out(
    package_archive: PackageArchive,
) -> None:
    """krb5's libraries get symbols without a new version."""
    pair = (b"libpair.so.1", b"PAIR_1")
    for suite, symbol in (("new", b"later"), ("old", b"before")):
        package_archive.add(suite, b"liba1", put(b"liba.so.1", pair[0], asks=[(symbol, pair[1], pair[0])]))
    loaded = library(pair[0], LIBC, defines=[(b"before", pair[1])])
    made = brought(package_archive, b"liba.so.1", b"GLIBC_2.41", libpair_so_1=loaded)
    assert made is not None
    assert package_of(made, b"liba.so.1") == (b"liba1", "old")


def test_a_symbol_that_moved_into_the_c_library_is_there(package_archive: PackageArchive) -> None:
    """Since glibc 2.34 libdl.so.2 defines the versions and libc.so.6 the symbols; older libraries load."""
    moved = [(b"fGLIBC_2.36", b"GLIBC_2.36", b"libdl.so.2")]
    package_archive.add("old", b"liba1", put(b"liba.so.1", b"libdl.so.2", asks=moved))
    stub = library(b"libdl.so.2", LIBC, defines=[(b"__libdl_version_placeholder", b"GLIBC_2.36")])
    made = brought(package_archive, b"liba.so.1", b"GLIBC_2.41", libdl_so_2=stub)
    assert made is not None
    assert package_of(made, b"liba.so.1") == (b"liba1", "old")


def test_a_list_of_drivers_comes_with_their_interface_and_is_not_counted(
    package_archive: PackageArchive,
) -> None:
    package_archive.add("new", b"libvulkan1", put(b"libvulkan.so.1"))
    package_archive.add("new", b"libplayer1", put(b"libplayer.so.1", b"libvulkan.so.1"))
    package_archive.add("new", b"mesa-vulkan-drivers", {b"usr/share/vulkan/icd.d/lvp.json": b"{}"})
    made = brought(package_archive, b"libplayer.so.1", b"GLIBC_2.41")
    assert made is not None
    assert [pin.name for pin in made.packages] == [b"libplayer1", b"libvulkan1", b"mesa-vulkan-drivers"]
    few = counted(made.packages, made, load_rules())
    assert [pin.name for pin in few] == [b"libplayer1", b"libvulkan1"]
