"""Which definition wins, in memory, and once beside what ld.so says it binds to."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from denizen.disk_view import DiskView
from denizen.linker import Environment, interposed, resolve
from denizen.value import replace
from tests.support import dynamic_linkers, linker_cases
from tests.support.elf_builder import Symbol
from tests.support.linker_systems import library, program, system_of
from tests.support.peers import require

HERE = Environment(vdso=b"")
WANTED = Symbol(b"malloc", defined=False, version=b"LIBC_1", file=b"libc.so")
OWN = Symbol(b"malloc", version=b"LIBC_1")
FILES = {
    b"/app/prog": program(b"liba.so", b"libc.so", symbols=(WANTED,), relocated=(b"malloc",)),
    b"/lib64/liba.so": library(b"liba.so"),
    b"/lib64/libc.so": library(b"libc.so", symbols=(OWN,)),
    b"/lib64/libp.so": library(b"libp.so", symbols=(Symbol(b"malloc"),)),
}


def test_nothing_is_interposed_where_each_name_comes_from_its_file() -> None:
    assert interposed(resolve(system_of(FILES), b"/app/prog", HERE)) == ()


def test_a_preload_without_versions_takes_the_place_of_a_versioned_definition() -> None:
    closure = resolve(system_of(FILES), b"/app/prog", replace(HERE, preload=b"libp.so"))
    assert [(i.name, i.needed_by, i.expected, i.bound_to) for i in interposed(closure)] == [
        (b"malloc", b"/app/prog", b"/lib64/libc.so", b"/lib64/libp.so")
    ]


def test_a_library_before_the_file_takes_its_place_if_it_has_the_same_version() -> None:
    files = FILES | {b"/lib64/liba.so": library(b"liba.so", symbols=(OWN,))}
    assert [i.bound_to for i in interposed(resolve(system_of(files), b"/app/prog", HERE))] == [
        b"/lib64/liba.so"
    ]


def test_a_library_with_another_version_of_the_name_does_not() -> None:
    other = Symbol(b"malloc", version=b"LIBA_1", hidden=True)
    files = FILES | {b"/lib64/liba.so": library(b"liba.so", symbols=(other,))}
    assert interposed(resolve(system_of(files), b"/app/prog", HERE)) == ()


@pytest.mark.peer
@pytest.mark.slow
def test_ld_so_binds_to_the_same_object(short_path: Path) -> None:
    require("gcc", dynamic_linkers.GLIBC_64)
    (short_path / "versions").write_text("V1 { global: f; local: *; };")
    case = linker_cases.Case(
        "interposed",
        (
            linker_cases.lib(
                "libx.so",
                source="int f(void) { return 1; }",
                flags=("-Wl,--version-script=$ROOT/versions",),
            ),
            linker_cases.lib("libp.so", source="int f(void) { return 2; }"),
            linker_cases.prog("libx.so", source="int f(void); int main(void) { return f(); }"),
        ),
        {},
    )
    linker_cases.build(case, short_path)
    root = os.fsencode(short_path)
    environment = replace(
        dynamic_linkers.environment_of(dynamic_linkers.GLIBC_64), library_path=root, preload=b"libp.so"
    )
    closure = resolve(DiskView(), root + b"/prog", environment)
    assert [(i.name, i.expected, i.bound_to) for i in interposed(closure)] == [
        (b"f", root + b"/libx.so", root + b"/libp.so")
    ]
    said = subprocess.run(
        [dynamic_linkers.GLIBC_64, short_path / "prog"], capture_output=True, text=True, check=False,
        env={"LD_LIBRARY_PATH": str(short_path), "LD_PRELOAD": "libp.so", "LD_DEBUG": "bindings",
             "LD_BIND_NOW": "1", "LD_WARN": "1", "LD_TRACE_LOADED_OBJECTS": "1"},
    ).stderr  # fmt: skip
    bindings = re.findall(r"binding file \S+ \[0\] to (\S+) \[0\]: normal symbol `f' \[V1\]", said)
    assert bindings == [str(short_path / "libp.so")]
