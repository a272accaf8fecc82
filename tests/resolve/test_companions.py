"""Packages of files that come with a library: those that its package depends on and that are made for it."""

import pytest

from denizen.cli.views.resolution_view import resolution_lines
from denizen.index.provider import Recommendation
from denizen.resolve.companions import companions, plugins
from denizen.resolve.resolution import Recommended
from denizen.resolve.resolution_summary import document
from denizen.resolve.rule_packs import load_rules
from tests.support.memory_archive import DIRECTORY, PROGRAM, PackageArchive, libc, library, program

MAGIC = b"libmagic.so.1"


@pytest.fixture
def market() -> PackageArchive:
    made = PackageArchive()
    made.add("new", b"libc6", libc())
    made.add(
        "new",
        b"libmagic1",
        {DIRECTORY + MAGIC: library(MAGIC, b"libc.so.6")},
        depends=b"libc6 (>= 2.3), libmagic-mgc (= 1), data-a | data-b, libother2, tool, debconf",
        source_package=b"file",
    )
    made.add("new", b"libmagic-mgc", {b"usr/lib/file/magic.mgc": b""}, source_package=b"file")
    made.add(
        "new", b"data-a", {b"usr/share/a/x": b""}, package_architecture=b"all", depends=b"deep, libmagic1"
    )
    made.add("new", b"data-b", {b"usr/share/b/x": b""}, package_architecture=b"all")
    made.add("new", b"deep", {b"usr/share/deep": b""}, package_architecture=b"all")
    made.add("new", b"libother2", {b"usr/share/other": b""}, source_package=b"file")
    made.add("new", b"tool", {b"usr/share/tool": b""})
    made.add("new", b"debconf", {b"usr/share/debconf": b""}, package_architecture=b"all")
    return made


def of(market: PackageArchive) -> list[bytes]:
    return list(companions(market.packages(b"libmagic1")[:1], market, load_rules().companion_files))


def test_files_for_all_machines_and_of_the_same_source_come(market: PackageArchive) -> None:
    """The first of alternatives, and what files depend on; not other libraries, tools or the system."""
    assert of(market) == [b"libmagic-mgc", b"data-a", b"deep"]


def test_what_belongs_to_the_system_or_is_for_people_does_not_come(market: PackageArchive) -> None:
    more = {b"usr/share/more": b""}
    market.add("new", b"more0", more, package_architecture=b"all", priority=b"required")
    market.add("new", b"more1", more, package_architecture=b"all", section=b"main/doc")
    for name in (b"more0", b"more1", b"huge"):
        market.add("new", b"libmagic1", {DIRECTORY + b"m": b""}, depends=name, version=b"2")
    market.add("new", b"huge", {b"usr/share/huge": b""}, size=99_000_000, package_architecture=b"all")
    named = [one for one in market.packages(b"libmagic1") if one.version == b"2"]
    assert list(companions(named, market, load_rules().companion_files)) == []


def test_what_rules_say_that_libraries_open_comes_though_every_system_has_it(market: PackageArchive) -> None:
    market.add(
        "new", b"tzdata", {b"usr/share/zoneinfo/UTC": b""}, package_architecture=b"all",
        priority=b"required", section=b"localization",
    )  # fmt: skip
    market.add("new", b"libmagic1", {DIRECTORY + b"m": b""}, depends=b"tzdata", version=b"2")
    named = [one for one in market.packages(b"libmagic1") if one.version == b"2"]
    assert list(companions(named, market, load_rules().companion_files)) == [b"tzdata"]


def test_a_program_gets_the_files_of_the_libraries_that_are_chosen_for_it(market: PackageArchive) -> None:
    made = market.resolve({PROGRAM: program(MAGIC)})
    assert made.is_complete
    assert {pin.name for pin in made.packages} == {
        b"libc6",
        b"libmagic1",
        b"libmagic-mgc",
        b"data-a",
        b"deep",
    }


SASL = b"libsasl2.so.2"


@pytest.fixture
def sasl(market: PackageArchive) -> PackageArchive:
    market.add("new", b"libsasl2-2", {DIRECTORY + SASL: library(SASL, b"libc.so.6")})
    plugin = {DIRECTORY + b"sasl2/libanonymous.so": b""}
    for name, size in ((b"modules", 1), (b"tools", 1), (b"huge", 99_000_000)):
        market.add("new", name, plugin, size=size)
    market.add("new", b"daemon", plugin, section=b"admin")
    names = (b"modules", b"tools", b"huge", b"daemon", b"nobody")
    market.recommendations[b"libsasl2-2"] = tuple(Recommendation(name, name != b"tools") for name in names)
    return market


def test_plugins_come_with_the_library_that_recommends_them(sasl: PackageArchive) -> None:
    """Not what holds none, what is too large, and what is for the system."""
    made = sasl.resolve({PROGRAM: program(SASL)})
    assert [pin.name for pin in made.packages] == [b"libc6", b"libsasl2-2", b"modules"]
    assert made.recommended == (Recommended(made.packages[2].sha256, b"libsasl2-2"),)
    assert document(made)["recommended"] == [{"package": "modules", "by": "libsasl2-2"}]
    assert "      recommended by libsasl2-2: its plugins" in resolution_lines(made)


def test_a_copy_of_a_library_in_a_private_directory_has_no_plugins(sasl: PackageArchive) -> None:
    sasl.add("new", b"app", {b"usr/lib/app/libcopy.so.1": library(b"libcopy.so.1", b"libc.so.6")})
    sasl.recommendations[b"app"] = (Recommendation(b"modules", has_plugins=True),)
    assert list(plugins(sasl.packages(b"app"), sasl, load_rules(), bool)) == []


@pytest.mark.parametrize("opencl", [False, True])
def test_plugins_for_devices_come_where_the_program_uses_such(sasl: PackageArchive, opencl: bool) -> None:  # noqa: FBT001  # of one row
    """hwloc's ask each device what it is, and pocl, which would come for them, needs a /sys."""
    name, interface = b"libhwloc.so.15", b"libOpenCL.so.1"
    sasl.add("new", b"libhwloc15", {DIRECTORY + name: library(name, b"libc.so.6")})
    sasl.add("new", b"ocl-icd", {DIRECTORY + interface: library(interface, b"libc.so.6")})
    plugin = {DIRECTORY + b"hwloc/hwloc_opencl.so": b""}
    sasl.add("new", b"libhwloc-plugins", plugin, depends=b"libc6, other | ocl-icd (>= 1)")
    sasl.recommendations[b"libhwloc15"] = (Recommendation(b"libhwloc-plugins", has_plugins=True),)
    made = sasl.resolve({PROGRAM: program(name, *([interface] if opencl else []))})
    assert (b"libhwloc-plugins" in {pin.name for pin in made.packages}) is opencl
