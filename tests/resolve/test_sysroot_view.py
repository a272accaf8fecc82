"""The sysroot that a program is looked at in: nothing of the machine's, all that came with the program."""

import pytest

from denizen.fileview import MemoryView
from denizen.resolve.sysroot_view import LIBRARIES, ChosenFile, Sysroot, is_outside

VIEW = MemoryView(
    {
        b"/usr/lib/libz.so.1": b"host",
        b"/opt/app/libz.so.1": b"own",
        b"/facts/1": b"chosen",
        b"/etc/ld.so.cache": b"x",
    }
)


@pytest.mark.parametrize(
    "path",
    [
        b"/lib/libz.so.1", b"/usr/lib64/libz.so.1", b"/usr/lib/x86_64-linux-gnu/libz.so.1", b"/lib",
        b"/usr/local/lib/libz.so.1", b"/usr/lib/x86_64-linux-gnu/glibc-hwcaps/x86-64-v3/libz.so.1",
        b"/opt/../lib/libz.so.1", b"/etc/ld.so.cache", b"/etc/ld.so.conf.d/a.conf",
    ],
)  # fmt: skip
def test_what_every_program_searches_is_outside(path: bytes) -> None:
    assert is_outside(path)


@pytest.mark.parametrize(
    "path", [b"/usr/lib/app/libown.so", b"/opt/lib/libz.so.1", b"/home/u/lib/x.so", b"/usr"]
)
def test_what_a_program_finds_by_a_path_of_its_own_is_not(path: bytes) -> None:
    assert not is_outside(path)


def test_the_machines_libraries_are_not_there_and_the_programs_are() -> None:
    sysroot = Sysroot(VIEW, {})
    with pytest.raises(FileNotFoundError):
        sysroot.read(b"/usr/lib/libz.so.1")
    with pytest.raises(FileNotFoundError):
        sysroot.stat(b"/etc/ld.so.cache")
    assert sysroot.read(b"/opt/app/libz.so.1") == b"own"


def test_what_was_chosen_is_in_one_directory_and_at_the_interpreters_path() -> None:
    piece = ChosenFile(VIEW, b"/facts/1")
    sysroot = Sysroot(VIEW, {b"libz.so.1": piece}, (b"/lib64/ld.so", piece))
    assert sysroot.read(LIBRARIES + b"/libz.so.1") == b"chosen"
    assert sysroot.read(b"/lib64/ld.so") == b"chosen"
    assert sysroot.stat(LIBRARIES + b"/libz.so.1") == VIEW.stat(b"/facts/1")


def test_a_library_that_is_itself_asked_about_is_visible() -> None:
    sysroot = Sysroot(VIEW, {}, visible=frozenset({b"/usr/lib/libz.so.1"}))
    assert sysroot.read(b"/usr/lib/libz.so.1") == b"host"
