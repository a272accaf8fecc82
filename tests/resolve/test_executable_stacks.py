"""Which glibc a program gets beside which lies a library that asks for an executable stack."""

from denizen.elf.constants import PF_R, PF_W, PF_X
from denizen.resolve.resolution import ProblemKind
from tests.support.memory_archive import PROGRAM, PackageArchive, libc, library, open_for, program

EXECUTABLE = PF_R | PF_W | PF_X


def stacked() -> PackageArchive:
    made = PackageArchive()
    made.add("new", b"libc6", libc(b"GLIBC_2.36", b"GLIBC_2.41"), version=b"2.41-12+deb13u1")
    made.add("old", b"libc6", libc(b"GLIBC_2.36"), version=b"2.36-9")
    return made


def test_a_library_opened_later_with_an_executable_stack_gets_a_glibc_that_allows_it() -> None:
    plugin = library(b"plugin.so", stack=EXECUTABLE)
    assert stacked().resolve({PROGRAM: program(), b"/opt/app/lib/plugin.so": plugin}).base == "old"


def test_an_executable_stack_that_no_glibc_new_enough_allows_is_told() -> None:
    newer = program(asks=[(b"fGLIBC_2.41", b"GLIBC_2.41", b"libc.so.6")])
    made = stacked().resolve({PROGRAM: newer, b"/opt/app/lib/p.so": library(b"p.so", stack=EXECUTABLE)})
    assert (made.base, made.is_complete) == ("new", False)
    problem = open_for(made, b"../lib/p.so")
    assert (problem.kind, problem.kind.stops_start) == (ProblemKind.STACK, False)


def test_an_executable_stack_that_is_linked_is_no_reason_for_an_older_glibc() -> None:
    linked = library(b"liba.so.1", stack=EXECUTABLE)
    files = {PROGRAM: program(b"liba.so.1", runpath=b"$ORIGIN"), b"/opt/app/bin/liba.so.1": linked}
    assert stacked().resolve({**files, b"/opt/app/lib/p.so": library(b"p.so", stack=None)}).base == "new"
