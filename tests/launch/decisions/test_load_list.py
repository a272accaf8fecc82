"""A closure as the loader is to present it."""

from denizen.launch.decisions.decision import DecisionLibrary
from denizen.launch.decisions.load_list import libraries_of
from denizen.linker import Environment, resolve
from tests.support.linker_systems import library, program, system_of

_HERE = Environment(vdso=b"")


def presented(files: dict[bytes, bytes]) -> tuple[DecisionLibrary, ...]:
    return libraries_of(resolve(system_of(files), b"/app/prog", _HERE))


def test_all_are_listed_breadth_first_without_the_linker() -> None:
    found = presented(
        {
            b"/app/prog": program(b"liba.so", b"libb.so", b"ld-linux-x86-64.so.2"),
            b"/lib64/liba.so": library(b"liba.so", b"libc.so"),
            b"/lib64/libb.so": library(b"libb.so"),
            b"/lib64/libc.so": library(b"libc.so"),
        }
    )
    assert [item.path for item in found] == [b"/lib64/liba.so", b"/lib64/libb.so", b"/lib64/libc.so"]
    assert not any(item.pinned or item.renamed for item in found)


def test_what_the_programs_rpath_found_is_pinned() -> None:
    files = {b"/app/lib/liba.so": library(b"liba.so")}
    (pinned,) = presented(files | {b"/app/prog": program(b"liba.so", rpath=b"/app/lib")})
    (free,) = presented(files | {b"/app/prog": program(b"liba.so", runpath=b"/app/lib")})
    assert (pinned.pinned, free.pinned) == (True, False)


def test_parts_of_the_c_library_are_pinned_for_they_never_mix() -> None:
    files = {b"/lib64/libc.so.6": library(b"libc.so.6"), b"/lib64/libcrypt.so.1": library(b"libcrypt.so.1")}
    found = presented(files | {b"/app/prog": program(b"libcrypt.so.1", b"libc.so.6")})
    assert [item.pinned for item in found] == [True, True]


def test_what_only_another_librarys_runpath_finds_is_pinned() -> None:
    _, found = presented(
        {
            b"/app/prog": program(b"liba.so"),
            b"/lib64/liba.so": library(b"liba.so", b"libprivate.so", runpath=b"/lib64/private"),
            b"/lib64/private/libprivate.so": library(b"libprivate.so"),
        }
    )
    assert found == DecisionLibrary(b"/lib64/private/libprivate.so", b"libprivate.so", pinned=True)


def test_a_name_that_is_not_the_soname_is_told() -> None:
    (found,) = presented({b"/app/prog": program(b"liba.so"), b"/lib64/liba.so": library(b"liba.so.1")})
    assert found == DecisionLibrary(b"/lib64/liba.so", b"liba.so", renamed=True)


def test_what_is_missing_is_left_out() -> None:
    assert presented({b"/app/prog": program(b"liba.so")}) == ()
