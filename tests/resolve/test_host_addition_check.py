"""A host's own libraries, extended by what it lacks: they stay, and packages go with them."""

import pytest

from denizen.fileview import Executable, MemoryView
from denizen.launch.run_time_lacks import lacking_later
from denizen.linker import Environment
from denizen.resolve.cache.cached_view import CachedView
from denizen.resolve.engine.catalogue import Sources
from denizen.resolve.engine.search import resolve
from denizen.resolve.host_addition_check import brings, is_sound, loses
from denizen.resolve.resolution import LeftOut, Resolution
from denizen.resolve.rule_packs import load_rules
from denizen.resolve.subject import examine
from tests.support.memory_archive import (
    DIRECTORY,
    INTERPRETER,
    LD_SO,
    PROGRAM,
    PackageArchive,
    libc,
    library,
    package_of,
    program,
    put,
    two_suites,
)

PLUGIN = b"/srv/modules/plugin.so"
HERE = b"/" + DIRECTORY


@pytest.fixture
def package_archive() -> PackageArchive:
    """Two suites: "new" with a glibc that is newer than the host's, "old" with the host's."""
    return two_suites()


def host(plugin: bytes, main: bytes, **libraries: bytes) -> MemoryView:
    """A host with glibc 2.36 and other libraries, a program, and what it opens."""
    files = {b"/" + path: content for path, content in libc(b"GLIBC_2.36").items()}
    # A path of its own for what begins with a slash; a library of the host's else, its dots written "_".
    names = {
        name: name if name.startswith("/") else HERE.decode() + name.replace("_", ".") for name in libraries
    }
    files |= {names[name].encode(): content for name, content in libraries.items()}
    files |= {INTERPRETER: LD_SO, PROGRAM: main, PLUGIN: plugin}
    return MemoryView({path: Executable(content) for path, content in files.items()})


def extended(
    package_archive: PackageArchive, plugin: bytes, *, main: bytes = program(), **libraries: bytes
) -> Resolution:
    """What a program that opens a plugin gets there."""
    rules = load_rules()
    subject = examine(host(plugin, main, **libraries), [PROGRAM], rules, [PLUGIN], host=Environment())
    sources = Sources(
        package_archive, package_archive, rules, CachedView(package_archive.disk()), {"new": "1", "old": "2"}
    )
    return resolve(subject, sources)


def test_only_what_the_host_lacks_is_brought(package_archive: PackageArchive) -> None:
    package_archive.add("old", b"liba1", put(b"liba.so.1", b"libhas.so.1"))
    package_archive.add("old", b"libhas1", put(b"libhas.so.1"))
    plugin = library(b"plugin.so", b"liba.so.1", b"libhas.so.1", b"libc.so.6")
    made = extended(package_archive, plugin, libhas_so_1=library(b"libhas.so.1", b"libc.so.6"))
    assert [pin.name for pin in made.packages] == [b"liba1"]
    assert made.interpreter is None
    assert brings(made, [b"liba.so.1"])


def test_what_asks_for_a_newer_glibc_than_the_hosts_is_passed_over(package_archive: PackageArchive) -> None:
    package_archive.add("new", b"liba1", put(b"liba.so.1", asks=[(b"x", b"GLIBC_2.41", b"libc.so.6")]))
    package_archive.add("old", b"liba1", put(b"liba.so.1"))
    made = extended(package_archive, library(b"plugin.so", b"liba.so.1", b"libc.so.6"))
    assert package_of(made, b"liba.so.1") == (b"liba1", "old")
    package_archive.offers = [
        offer for offer in package_archive.offers if (offer[0].package, offer[0].suite) != (b"liba1", "old")
    ]
    alone = extended(package_archive, library(b"plugin.so", b"liba.so.1", b"libc.so.6"))
    assert not brings(alone, [b"liba.so.1"])
    (left,) = alone.left_out
    assert "this host's libc.so.6 does not define" in left.reason


def test_what_asks_more_of_a_library_than_the_hosts_has_comes_from_another_suite(
    package_archive: PackageArchive,
) -> None:
    asks = [(b"f", b"V_2", b"libhas.so.1")]
    package_archive.add("new", b"liba1", put(b"liba.so.1", b"libhas.so.1", asks=asks))
    package_archive.add("old", b"liba1", put(b"liba.so.1", b"libhas.so.1"))
    has = library(b"libhas.so.1", b"libc.so.6", defines=[(b"e", b"V_1")])
    made = extended(package_archive, library(b"plugin.so", b"liba.so.1", b"libc.so.6"), libhas_so_1=has)
    assert is_sound(made)
    assert package_of(made, b"liba.so.1") == (b"liba1", "old")


def test_a_runtime_of_the_hosts_that_is_too_old_is_lacking_and_overridden(
    package_archive: PackageArchive,
) -> None:
    runtime = b"libstdc++.so.6"
    package_archive.add("old", b"libstdc++6", put(runtime, defines=[(b"a", b"CXX_1"), (b"b", b"CXX_2")]))
    plugin = library(b"plugin.so", runtime, b"libc.so.6", asks=[(b"b", b"CXX_2", runtime)])
    main = program(runtime, asks=[(b"a", b"CXX_1", runtime)])
    old = {"libstdc++_so_6": library(runtime, b"libc.so.6", defines=[(b"a", b"CXX_1")])}
    assert lacking_later(host(plugin, main, **old), PROGRAM, Environment(), load_rules(), [PLUGIN]) == (
        runtime,
    )
    made = extended(package_archive, plugin, main=main, **old)
    assert brings(made, [runtime])
    assert made.override == (runtime,)


def test_what_only_the_programs_run_path_finds_is_lacking_to_what_it_opens(
    package_archive: PackageArchive,
) -> None:
    """DT_RUNPATH serves the object that has it alone."""
    package_archive.add("old", b"liba1", put(b"liba.so.1"))
    plugin = library(b"plugin.so", b"liba.so.1", b"libc.so.6")
    own = {"/srv/own/liba.so.1": library(b"liba.so.1", b"libc.so.6")}
    made = extended(package_archive, plugin, main=program(runpath=b"/srv/own"), **own)
    assert package_of(made, b"liba.so.1") == (b"liba1", "old")


def test_a_world_of_packages_loses_what_it_leaves_out_and_the_host_has() -> None:
    made = Resolution("amd64", left_out=(LeftOut(b"libssl.so.9", b"_ssl.so", "nobody has it"),))
    assert loses(made, [b"liba.so.1"])
    assert not loses(made, [b"libssl.so.9"])


def test_what_only_the_programs_run_path_finds_is_there_once_it_is_loaded(
    package_archive: PackageArchive,
) -> None:
    """What joins it gets the loaded one by its name, whatever rule found that."""
    asks = [(b"f", b"V_2", b"libown.so.1")]
    package_archive.add("new", b"liba1", put(b"liba.so.1", b"libown.so.1", asks=asks))
    package_archive.add("old", b"liba1", put(b"liba.so.1", b"libown.so.1"))
    own = {"/srv/own/libown.so.1": library(b"libown.so.1", b"libc.so.6", defines=[(b"e", b"V_1")])}
    main = program(b"libown.so.1", runpath=b"/srv/own")
    made = extended(package_archive, library(b"plugin.so", b"liba.so.1", b"libc.so.6"), main=main, **own)
    assert package_of(made, b"liba.so.1") == (b"liba1", "old")
