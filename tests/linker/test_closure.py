"""What the rules against the real linkers cannot show: other systems than this machine."""

import pytest

from denizen.elf import NotElf
from denizen.fileview import MemoryView, ViewLink
from denizen.linker import Cpu, Environment, Family, LinkerStart, Reason, bind, resolve
from tests.support.elf_builder import Elf, Note, Symbol, build
from tests.support.ldcache_files import CacheEntry, new_cache
from tests.support.linker_systems import GLIBC, MUSL, glibc, library, musl, program, system_of

HERE = Environment(vdso=b"")
DT_VERSYM = 0x6FFFFFF0


def paths(view: MemoryView, environment: Environment = HERE) -> dict[bytes, bytes | None]:
    closure = resolve(view, b"/app/prog", environment)
    return {entry.soname: entry.path for entry in closure.libraries}


def test_all_that_is_missing_is_known_at_once_with_what_was_tried() -> None:
    view = system_of({b"/app/prog": program(b"liba.so", b"libb.so", runpath=b"/app/lib"), b"/app/lib/": b""})
    closure = resolve(view, b"/app/prog", HERE)
    assert [entry.soname for entry in closure.missing] == [b"liba.so", b"libb.so"]
    assert [(a.path, a.rule.name, a.reason) for a in closure.missing[0].tried] == [
        (b"/app/lib/liba.so", "runpath", Reason.ABSENT),
        (b"/etc/ld.so.cache", "cache", Reason.ABSENT),
        (b"/lib64/liba.so", "default", Reason.ABSENT),
        (b"/usr/lib64/", "default", Reason.NO_DIRECTORY),
    ]


def test_a_library_knows_who_asked_for_it_first() -> None:
    view = system_of(
        {
            b"/app/prog": program(b"liba.so", b"libb.so"),
            b"/lib64/liba.so": library(b"liba.so", b"libb.so", b"libc.so"),
            b"/lib64/libb.so": library(b"libb.so"),
            b"/lib64/libc.so": library(b"libc.so"),
        }
    )
    closure = resolve(view, b"/app/prog", HERE)
    assert [(entry.soname, entry.needed_by) for entry in closure.libraries] == [
        (b"liba.so", b"/app/prog"), (b"libb.so", b"/app/prog"), (b"libc.so", b"/lib64/liba.so"),
    ]  # fmt: skip


def test_a_missing_interpreter_is_told_and_the_libraries_are_looked_for_all_the_same() -> None:
    view = system_of({b"/app/prog": program(b"liba.so"), b"/lib64/liba.so": library(b"liba.so")}, loader=b"")
    closure = resolve(view, b"/app/prog", HERE)
    assert not closure.interpreter_found
    assert closure.interpreter.path == GLIBC
    assert [entry.path for entry in closure.libraries] == [b"/lib64/liba.so"]


def test_needed_and_search_directories_can_be_replaced_by_value() -> None:
    view = system_of(
        {
            b"/app/prog": program(b"libgone.so", rpath=b"/app/none"),
            b"/store/1/liba.so": library(b"liba.so", b"libb.so"),
            b"/store/2/libb.so": library(b"libb.so"),
        }
    )
    environment = Environment(vdso=b"", needed=(b"/store/1/liba.so",), extra_directories=(b"/store/2",))
    assert paths(view, environment) == {
        b"/store/1/liba.so": b"/store/1/liba.so",
        b"libb.so": b"/store/2/libb.so",
    }


def test_a_search_path_can_be_given_to_the_program() -> None:
    view = system_of({b"/app/prog": program(b"liba.so"), b"/store/liba.so": library(b"liba.so")})
    assert paths(view, Environment(vdso=b"", runpath=b"/store")) == {b"liba.so": b"/store/liba.so"}


def test_ld_so_preload_is_read_with_its_comments() -> None:
    view = system_of(
        {
            b"/app/prog": program(b"liba.so"),
            b"/lib64/liba.so": library(b"liba.so"),
            b"/lib64/libp.so": library(b"libp.so"),
            b"/lib64/libq.so": library(b"libq.so"),
            b"/etc/ld.so.preload": b"libp.so # liba.so\n/lib64/libq.so:libgone.so\n",
        }
    )
    closure = resolve(view, b"/app/prog", HERE)
    assert [(entry.soname, entry.needed_by) for entry in closure.libraries] == [
        (b"libp.so", b"/etc/ld.so.preload"),
        (b"/lib64/libq.so", b"/etc/ld.so.preload"),
        (b"liba.so", b"/app/prog"),
    ]


def test_until_2_35_a_library_for_a_newer_kernel_is_passed_over() -> None:
    tag = Note(b"GNU", 1, b"\0\0\0\0\x06\0\0\0\0\0\0\0\0\0\0\0")
    files = {
        b"/app/prog": program(b"liba.so", runpath=b"/app"),
        b"/app/liba.so": build(Elf(soname=b"liba.so", notes=(tag,))),
        b"/lib64/liba.so": library(b"liba.so"),
    }
    old_kernel = Environment(vdso=b"", kernel=(5, 10, 0))
    assert paths(system_of(files, loader=glibc(version=b"2.35")), old_kernel)[b"liba.so"] == b"/lib64/liba.so"
    assert paths(system_of(files, loader=glibc(version=b"2.36")), old_kernel)[b"liba.so"] == b"/app/liba.so"
    new_kernel = Environment(vdso=b"", kernel=(6, 1, 0))
    assert paths(system_of(files, loader=glibc(version=b"2.35")), new_kernel)[b"liba.so"] == b"/app/liba.so"


def test_the_cache_gives_the_entry_for_this_processor_to_a_glibc_that_knows_such_entries() -> None:
    entries = [CacheEntry(b"liba.so", b"/v3/liba.so", hwcap=1 << 62), CacheEntry(b"liba.so", b"/v1/liba.so")]
    files = {
        b"/app/prog": program(b"liba.so"),
        b"/v3/liba.so": library(b"liba.so"),
        b"/v1/liba.so": library(b"liba.so"),
        b"/etc/ld.so.cache": new_cache(entries, hwcaps=(b"x86-64-v3",)),
    }
    for level, version, expected in ((3, b"2.36", b"/v3/"), (2, b"2.36", b"/v1/"), (3, b"2.32", b"/v1/")):
        view = system_of(files, loader=glibc(version=version))
        assert paths(view, Environment(vdso=b"", cpu=Cpu(level=level)))[b"liba.so"] == expected + b"liba.so"


def test_a_cache_entry_that_is_not_there_is_told_and_the_defaults_come_next() -> None:
    files = {
        b"/app/prog": program(b"liba.so"),
        b"/lib64/liba.so": library(b"liba.so"),
        b"/etc/ld.so.cache": new_cache([CacheEntry(b"liba.so", b"/gone/liba.so")]),
    }
    closure = resolve(system_of(files), b"/app/prog", HERE)
    assert [(a.path, a.reason) for a in closure.libraries[0].tried] == [(b"/gone/liba.so", Reason.ABSENT)]
    assert closure.libraries[0].path == b"/lib64/liba.so"


def test_a_malformed_library_is_a_failure_and_the_others_are_still_found() -> None:
    broken = bytearray(library(b"liba.so"))
    broken[56:58] = b"\xff\xff"  # more program headers than bytes
    view = system_of(
        {
            b"/app/prog": program(b"liba.so", b"libb.so"),
            b"/lib64/liba.so": bytes(broken),
            b"/lib64/libb.so": library(b"libb.so"),
        }
    )
    closure = resolve(view, b"/app/prog", HERE)
    assert [(failure.path, failure.reason) for failure in closure.failures] == [
        (b"/lib64/liba.so", Reason.MALFORMED)
    ]
    assert [entry.soname for entry in closure.missing] == [b"liba.so"]


def test_links_are_followed_for_the_origin_of_a_program_the_kernel_starts() -> None:
    view = system_of(
        {
            b"/real/bin/prog": program(b"liba.so", runpath=b"$ORIGIN/../lib"),
            b"/real/lib/liba.so": library(b"liba.so"),
            b"/app/prog": ViewLink(b"/real/bin/prog"),
        }
    )
    assert paths(view) == {b"liba.so": b"/real/bin/../lib/liba.so"}
    assert paths(view, Environment(vdso=b"", start=LinkerStart.INTERPRETER)) == {b"liba.so": None}


def test_musl_reads_its_system_path_below_its_prefix() -> None:
    view = MemoryView(
        {
            MUSL: musl(),
            b"/app/prog": program(b"liba.so", b"libc.so", interpreter=MUSL),
            b"/etc/ld-musl-x86_64.path": b"/none\n/opt/lib\n",
            b"/opt/lib/liba.so": library(b"liba.so"),
        }
    )
    closure = resolve(view, b"/app/prog", HERE)
    assert closure.interpreter.family is Family.MUSL
    assert [(entry.path, entry.rule and entry.rule.name) for entry in closure.libraries] == [
        (b"/opt/lib/liba.so", "system-path"),
        (MUSL, "built-in"),
    ]


def test_what_is_no_program_raises() -> None:
    with pytest.raises(NotElf):
        resolve(system_of({b"/app/prog": b"#!/bin/sh\n"}), b"/app/prog", HERE)
    with pytest.raises(FileNotFoundError):
        resolve(system_of({}), b"/app/prog", HERE)


def test_a_version_and_a_symbol_nobody_defines_are_reported_with_who_asks() -> None:
    new = Symbol(b"new", defined=False, version=b"LIBA_2", file=b"liba.so")
    old = Symbol(b"old", defined=False, version=b"LIBA_1", file=b"liba.so")
    view = system_of(
        {
            b"/app/prog": program(b"liba.so", symbols=(new, old), relocated=(b"new", b"old")),
            b"/lib64/liba.so": library(b"liba.so", symbols=(Symbol(b"old", version=b"LIBA_1"),)),
        }
    )
    binding = bind(resolve(view, b"/app/prog", HERE))
    assert [(m.version, m.provider, m.needed_by) for m in binding.missing_versions] == [
        (b"LIBA_2", b"/lib64/liba.so", b"/app/prog")
    ]
    assert [(u.name, u.version, u.file, u.needed_by) for u in binding.unresolved] == [
        (b"new", b"LIBA_2", b"liba.so", b"/app/prog")
    ]
    assert binding.damaged == ()


def test_an_object_whose_tables_are_broken_is_left_out_and_named() -> None:
    view = system_of(
        {
            b"/app/prog": program(b"liba.so"),
            b"/lib64/liba.so": library(b"liba.so", symbols=(Symbol(b"f"),), tags=((DT_VERSYM, 0xFFFFFF00),)),
        }
    )
    binding = bind(resolve(view, b"/app/prog", HERE))
    assert [damage.path for damage in binding.damaged] == [b"/lib64/liba.so"]
