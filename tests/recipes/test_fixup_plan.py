"""What the fixup phase changes of programs, libraries and scripts."""

import pytest

from denizen.elf import read
from denizen.recipes.fixup_plan import (
    LibraryNotInInputs,
    ObjectFile,
    ReportedOpens,
    changes_for,
    opened_names,
    script_line,
    with_opens,
)
from tests.support.elf_builder import Elf, build

LD, LIBC = b"ld-linux-x86-64.so.2", b"libc.so.6"
LIBRARIES = {
    LD: ObjectFile(b"/s/libc6/lib/" + LD, None, ()),
    LIBC: ObjectFile(b"/s/libc6/lib/" + LIBC, None, (LD,)),
    b"liba.so": ObjectFile(b"/s/a/lib/liba.so", None, (b"libb.so", LIBC)),
    b"libb.so": ObjectFile(b"/s/b/lib/libb.so", None, (b"liba.so",)),
    b"libopened.so": ObjectFile(b"/s/o/lib/libopened.so", None, (b"libgone.so",)),
}


def program(*needed: bytes, opened: tuple[bytes, ...] = ()) -> ObjectFile:
    return ObjectFile(b"/s/x/bin/x", b"/lib64/" + LD, needed, opened)


def test_the_run_path_has_the_directories_of_all_libraries_and_no_others() -> None:
    changes = changes_for(program(b"liba.so"), LIBRARIES.get)
    assert changes.run_path == b"/s/a/lib:/s/b/lib:/s/libc6/lib"
    assert changes.interpreter == b"/s/libc6/lib/" + LD
    # Libraries of packages have no run path: that of the program must serve them too.
    assert changes.force_rpath


def test_a_library_has_no_interpreter() -> None:
    changes = changes_for(ObjectFile(b"/s/x/lib/x.so", None, (LIBC,)), LIBRARIES.get)
    assert (changes.interpreter, changes.run_path) == (None, b"/s/libc6/lib")


def test_a_library_that_no_input_has_is_an_error_that_names_who_needs_it() -> None:
    with pytest.raises(LibraryNotInInputs) as caught:
        changes_for(program(b"libz.so.1"), LIBRARIES.get)
    assert (caught.value.path, caught.value.name) == (b"/s/x/bin/x", b"libz.so.1")


def test_libraries_that_are_opened_later_are_kept_in_the_run_path_if_they_are_there() -> None:
    changes = changes_for(program(LIBC, opened=(b"libopened.so", b"libother.so")), LIBRARIES.get)
    assert changes.run_path == b"/s/libc6/lib:/s/o/lib"


def test_what_is_reported_of_a_file_and_the_names_among_its_constants_count_as_opened() -> None:
    content = build(Elf(soname=b"libx.so.1", segments=((1, b"\0libsensors.so.5\0libx.so.1\0text\0"),)))
    image = read(content)
    opens = ReportedOpens(
        named=(b"libnamed.so",),
        checked={b"x": (b"libchecked.so",), b"other": (b"libother.so",)},
        earlier={b"x": (b"libearlier.so",)},
    )
    opened = with_opens(program(opened=(b"libnoted.so",)), image, opens).opened
    assert opened[:4] == (b"libnoted.so", b"libnamed.so", b"libchecked.so", b"libearlier.so")
    assert opened[4:] == (b"libsensors.so.5",)


def test_what_was_opened_by_name_is_known_by_who_opened_it() -> None:
    report = (
        b"file=libz.so.1 [0];  dynamically loaded by ./prog [0]\n"
        b"file=libz.so.1 [0];  dynamically loaded by /build/x/.libs/lt-prog [0]\n"
        b"file=/build/x/plugin.so [0];  dynamically loaded by ./prog [0]\n"
        b"file=libc.so.6 [0];  needed by ./prog [0]\n"
        b"file=libgcc_s.so.1 [0];  dynamically loaded by /usr/lib/x86_64-linux-gnu/libc.so.6 [0]\n"
    )
    assert opened_names(report) == {b"prog": (b"libz.so.1",), b"libc.so.6": (b"libgcc_s.so.1",)}


@pytest.mark.parametrize(
    ("line", "fixed"),
    [
        (b"#!/usr/bin/lua -x", b"#!/s/lua/bin/lua -x"),
        (b"#!/usr/bin/env lua", b"#!/s/lua/bin/lua"),
        (b"#! /usr/bin/env lua -x", b"#!/s/lua/bin/lua -x"),
        (b"#!/usr/bin/env -S lua", b"#!/usr/bin/env -S lua"),
        (b"#!/bin/sh", b"#!/bin/sh"),
        (b"#!/s/lua/bin/lua", b"#!/s/lua/bin/lua"),
        (b"#!", b"#!"),
    ],
)
def test_scripts_name_interpreters_of_recipes_in_full(line: bytes, fixed: bytes) -> None:
    assert script_line(line, [b"/s/lua/bin"], lambda path: path == b"/s/lua/bin/lua") == fixed
