from collections.abc import Sequence

import pytest

from denizen.fhs.package_closure import EnvironmentPackage
from denizen.fileview import Executable, MemoryView, ViewLink
from denizen.profiles.environment_need import (
    ExportingPackage,
    beyond_libraries,
    environment_reasons,
    interpreters_of,
)
from denizen.profiles.package_exports import commands_in
from tests.support.memory_catalogue import package

ELF = b"\x7fELF" + bytes(60)


def exporting(**files: bytes | ViewLink) -> ExportingPackage:
    tree = {
        b"/usr/bin/" + name.encode(): content if isinstance(content, ViewLink) else Executable(content)
        for name, content in files.items()
    }
    view = MemoryView(
        {**tree, b"/usr/share/tool/data": b"", b"/etc/toolrc": b"", b"/usr/share/locale/de": b""}
    )
    return ExportingPackage(view, commands_in(view))


def closed(*names: str | tuple[str, str]) -> Sequence[EnvironmentPackage]:
    """The wanted package, and others: a name, or a name and who asked for it."""
    rows = [(name, "tool") if isinstance(name, str) else name for name in names]
    own = EnvironmentPackage(package("tool"), None)
    return [own, *(EnvironmentPackage(package(name), asker.encode()) for name, asker in rows)]


def reasons(packages: ExportingPackage, *dependencies: str | tuple[str, str]) -> dict[bytes, str]:
    return environment_reasons([packages], closed(*dependencies))


def test_libraries_are_enough_for_a_program_that_names_no_file() -> None:
    named = b"\0/usr/share/locale/de\0/usr/bin\0/usr/share/other/data\0/usr/lib\0"
    assert (
        reasons(exporting(tool=ELF + named), "libc6", "libbz2-1.0", "zlib1g", "libgcc-s1", "gcc-14-base")
        == {}
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"#!/bin/sh\n", "is a script"),
        (ELF + b"\0/usr/share/tool/data\0", "names /usr/share/tool/data"),
        (ELF + b"\0/etc/toolrc\0", "names /etc/toolrc"),
        (ViewLink(b"tool-14"), "a link to a file of another package"),
    ],
)
def test_each_command_is_looked_at(content: bytes | ViewLink, said: str) -> None:
    found = reasons(exporting(tool=content, plain=ELF), "libc6")
    assert set(found) == {b"tool"}
    assert said in found[b"tool"]


@pytest.mark.parametrize("name", ["perl", "libmagic-mgc", "libgtk-3-common", "foo-data", "libx11-data"])
def test_whatever_is_no_library_wants_an_environment_for_all(name: str) -> None:
    found = reasons(exporting(tool=ELF, other=ELF), "libc6", name)
    assert set(found) == {b"tool", b"other"}
    assert name in found[b"tool"]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        (b"#! /usr/bin/perl -w\n", (b"perl",)),
        (b"#!/usr/bin/env python3\n", (b"python3",)),
        (b"#!/usr/bin/env -S ruby -w\n", (b"ruby",)),
        (b"no script", ()),
        (ELF, ()),
    ],
)
def test_the_interpreters_of_scripts_are_named(line: bytes, names: tuple[bytes, ...]) -> None:
    assert interpreters_of([exporting(tool=line, link=ViewLink(b"elsewhere"))]) == names


def test_what_maintainer_scripts_need_is_not_counted_nor_what_that_needs() -> None:
    members = closed("libssl3", ("debconf", "libssl3"), ("perl-base", "debconf"), ("libcrypt1", "perl-base"))
    assert beyond_libraries(members) == b""
    assert beyond_libraries(closed("libssl3", ("ssl-cert", "libssl3"))) == b"ssl-cert"
