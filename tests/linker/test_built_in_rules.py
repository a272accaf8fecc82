import pytest

from denizen.fileview import MemoryView
from denizen.linker.built_in_rules import BEFORE_BANNER, Family, assumed, read_interpreter
from tests.support import linker_systems
from tests.support.elf_builder import Elf, build

PATH = linker_systems.GLIBC


def reads(content: bytes) -> object:
    return read_interpreter(MemoryView({PATH: content}), PATH)


def test_a_dynamic_linker_tells_its_own_directories_and_version() -> None:
    debian = linker_systems.glibc(
        version=b"2.41",
        directories=b"/lib/x86_64-linux-gnu/\0/usr/lib/x86_64-linux-gnu/\0/lib/\0/usr/lib/\0",
        lib=b"lib/x86_64-linux-gnu",
    )
    found = read_interpreter(MemoryView({PATH: debian}), PATH)
    assert found is not None
    assert (found.family, found.version, found.lib) == (Family.GLIBC, (2, 41), b"lib/x86_64-linux-gnu")
    assert found.system_directories == (
        b"/lib/x86_64-linux-gnu/", b"/usr/lib/x86_64-linux-gnu/", b"/lib/", b"/usr/lib/",
    )  # fmt: skip
    assert (found.cache, found.preload, found.soname) == (
        b"/etc/ld.so.cache", b"/etc/ld.so.preload", b"ld-linux-x86-64.so.2",
    )  # fmt: skip


def test_a_store_path_is_a_system_directory_too() -> None:
    found = read_interpreter(
        MemoryView({PATH: linker_systems.glibc(directories=b"/nix/store/abc-glibc-2.40/lib/\0", lib=b"lib")}),
        PATH,
    )
    assert found is not None
    assert (found.system_directories, found.lib) == ((b"/nix/store/abc-glibc-2.40/lib/",), b"lib")


def test_one_without_a_banner_follows_the_rules_before_it() -> None:
    found = read_interpreter(MemoryView({PATH: build(Elf(soname=b"ld-linux-x86-64.so.2"))}), PATH)
    assert found is not None
    assert found.version == BEFORE_BANNER
    assert found.system_directories == (b"/lib64/", b"/usr/lib64/")


@pytest.mark.parametrize("version", [b"", b"x.y", b"2", b"9999.1", b"2.x"])
def test_a_banner_that_makes_no_sense_is_none(version: bytes) -> None:
    found = read_interpreter(MemoryView({PATH: linker_systems.glibc(version=version)}), PATH)
    assert found is not None
    assert found.version == BEFORE_BANNER


def test_musl_is_known_by_its_usage_line() -> None:
    found = read_interpreter(MemoryView({linker_systems.MUSL: linker_systems.musl()}), linker_systems.MUSL)
    assert found is not None
    assert (found.family, found.arch, found.preload) == (Family.MUSL, b"x86_64", None)


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", b"\x7fELF"])
def test_what_is_no_dynamic_linker_is_none(content: bytes) -> None:
    assert reads(content) is None
    assert read_interpreter(MemoryView({}), PATH) is None


def test_one_that_is_not_there_is_assumed_by_its_name() -> None:
    assert assumed(b"/lib/ld-musl-aarch64.so.1", 64).arch == b"aarch64"
    assert assumed(b"/lib/ld-linux.so.2", 32).system_directories == (b"/lib/", b"/usr/lib/")
