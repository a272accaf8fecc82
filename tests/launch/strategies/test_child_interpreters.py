"""Interpreters that a program's children may name."""

import pytest

from denizen.fileview import Executable, MemoryView, ViewLink
from denizen.launch.strategies.child_interpreters import MAX_FOUND, beside
from tests.support.elf_builder import Elf, build

_HOST: dict[bytes, bytes | Executable | ViewLink] = {
    b"/lib64/ld-linux-x86-64.so.2": b"",
    b"/etc/passwd": b"",
    b"/lib/loop.so": ViewLink(b"loop.so"),
}
_NIX = b"/nix/store/0c5vdxlp40vdr1sxq2kr1xvxzkjqj6cf-glibc-2.40/lib/ld-linux-x86-64.so.2"


def _program(interpreter: bytes, bits: int = 64, machine: int = 62) -> Executable:
    return Executable(build(Elf(interpreter=interpreter, bits=bits, machine=machine)))


def _beside(*files: tuple[bytes, bytes | Executable]) -> tuple[tuple[bytes, str], ...]:
    return beside(MemoryView(_HOST | dict(files)), b"/home/u/app/run", "x86_64")


def test_what_a_child_names_and_the_host_lacks_is_served() -> None:
    assert _beside((b"/home/u/app/bin/tool", _program(_NIX))) == ((_NIX, "x86_64"),)


def test_a_small_program_gets_the_small_loader() -> None:
    small = _program(b"/lib/ld-linux.so.2", bits=32, machine=3)
    assert _beside((b"/home/u/app/tool32", small)) == ((b"/lib/ld-linux.so.2", "i386"),)


@pytest.mark.parametrize(
    "interpreter",
    [
        b"/lib64/ld-linux-x86-64.so.2",  # it is there
        b"/etc/ld.so.preload",
        b"/usr/lib/ld.so.preload",
        b"/usr/bin/sudo",
        b"/usr/lib/../../etc/ld.so",
        b"/lib/loop.so/ld.so",
        b"/home/u/.brew/lib/ld.so",  # names made in a mirror of it would be lost
        b"lib/ld.so",
        b"",
    ],
)
def test_no_file_has_a_path_of_its_choice_made(interpreter: bytes) -> None:
    assert _beside((b"/home/u/app/tool", _program(interpreter))) == ()


def test_what_is_no_program_of_this_machine_counts_for_nothing() -> None:
    assert (
        _beside(
            (b"/home/u/app/other", _program(_NIX, machine=183)),
            (b"/home/u/app/text", Executable(b"#!/bin/sh\n")),
            (b"/home/u/app/not-executable", build(Elf(interpreter=_NIX))),
            (b"/home/u/app/a/b/c/too-deep", _program(_NIX)),
        )
        == ()
    )


def test_what_other_packages_put_into_the_hosts_directory_of_commands_counts_for_nothing() -> None:
    view = MemoryView(_HOST | {b"/usr/bin/other": _program(_NIX), b"/usr/local/bin/own": _program(_NIX)})
    assert beside(view, b"/usr/bin/program", "x86_64") == ()
    assert beside(view, b"/usr/local/bin/program", "x86_64") == ((_NIX, "x86_64"),)


def test_not_more_than_a_few_are_taken() -> None:
    files = [
        (b"/home/u/app/tool%d" % number, _program(b"/nix/store/%d-glibc/lib/ld.so" % number))
        for number in range(2 * MAX_FOUND)
    ]
    assert len(_beside(*files)) == MAX_FOUND
