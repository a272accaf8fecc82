"""When a file beside the program is chosen: before packages, or after them."""

import pytest

from denizen.resolve.resolution import ChoiceRule
from tests.support.memory_archive import (
    DIRECTORY,
    PROGRAM,
    PackageArchive,
    chosen,
    libc,
    library,
    package_of,
    program,
)

SONAME = b"libs.so.1"


def archive_of(*sonames: bytes) -> PackageArchive:
    """An archive with the C library and a package of each library, called by its first word."""
    made = PackageArchive()
    made.add("new", b"libc6", libc())
    for soname in sonames:
        made.add("new", soname.partition(b".")[0], {DIRECTORY + soname: library(soname, b"libc.so.6")})
    return made


def test_a_library_beside_the_program_is_found_by_name_and_by_soname() -> None:
    package_archive = archive_of(b"liba.so.1")
    files = {
        PROGRAM: program(b"liba.so.1", b"libb.so.2"),
        b"/opt/app/lib/liba.so.1": library(b"liba.so.1"),
        b"/opt/app/lib/libb.so.2.0.1": library(b"libb.so.2"),
    }
    made = package_archive.resolve(files)
    assert made.is_complete
    assert (chosen(made, b"liba.so.1").rule, chosen(made, b"liba.so.1").path) == (
        ChoiceRule.BESIDE,
        b"../lib/liba.so.1",
    )
    assert chosen(made, b"libb.so.2").path == b"../lib/libb.so.2.0.1"


def test_what_lies_beside_the_program_is_opened_before_what_a_package_has() -> None:
    sonames = (b"libnss3.so", b"libsoftokn3.so", b"libfreebl3.so", b"libfreeblpriv3.so", b"libnssckbi.so")
    inside = (*sonames, b"libsqlite3.so.0")
    files = {b"/opt/app/lib/" + name: library(name) for name in inside}
    files[b"/opt/app/lib/libsoftokn3.so"] = library(b"libsoftokn3.so", b"libsqlite3.so.0", b"libz.so.1")
    made = archive_of(*sonames, b"libz.so.1").resolve({PROGRAM: program(b"libnss3.so"), **files})
    assert made.is_complete
    assert chosen(made, b"libsoftokn3.so").path == b"../lib/libsoftokn3.so"
    assert chosen(made, b"libsqlite3.so.0").rule is ChoiceRule.BESIDE
    assert chosen(made, b"libz.so.1").package


@pytest.mark.parametrize("lying", [b"libs.so.1.0.4", b"libs.so (1).download", b"libother-2.1/libs.so.1"])
def test_a_dt_soname_alone_does_not_come_before_a_package(lying: bytes) -> None:
    files = {b"/srv/stuff/app": program(SONAME), b"/srv/stuff/" + lying: library(SONAME)}
    made = archive_of(SONAME).resolve(files, [b"/srv/stuff/app"])
    assert package_of(made, SONAME) == (b"libs", "new")


def test_a_dt_soname_alone_serves_where_no_package_has_it_and_is_told() -> None:
    files = {
        b"/srv/stuff/app": program(SONAME),
        b"/srv/stuff/libs.so.1.0.4": library(SONAME, b"liba.so.1"),
    }
    made = archive_of(b"liba.so.1").resolve(files, [b"/srv/stuff/app"])
    assert made.is_complete
    assert chosen(made, SONAME).rule is ChoiceRule.UNPROVEN
    assert package_of(made, b"liba.so.1") == (b"liba", "new")
