"""What a directory stands for: its dynamic objects, for the machine most of them are for."""

import pytest

from denizen.fileview import MemoryView, ViewLink
from denizen.resolve import directory_objects
from denizen.resolve.directory_objects import NoObjects, TooMuchToResolve, added_objects, objects_to_resolve
from tests.support.elf_builder import Elf, build
from tests.support.memory_archive import library, program

ARM64 = build(Elf(machine=183, soname=b"addon.node", needed=(b"libc.so.6",)))
MUSL = library(b"addon.node", b"libc.musl-x86_64.so.1")
TREE = {
    b"/t/bin/program": program(),
    b"/t/prebuilds/linux-x64/addon.node": library(b"addon.node", b"libc.so.6"),
    b"/t/prebuilds/linux-x64/addon.musl.node": MUSL,
    b"/t/prebuilds/linux-arm64/addon.node": ARM64,
    b"/t/static": build(Elf(dynamic=False)),
    b"/t/readme.md": b"text",
}


def test_a_program_stands_for_itself() -> None:
    assert objects_to_resolve(MemoryView(TREE), b"/t/bin/program").paths == (b"/t/bin/program",)


def test_a_directory_stands_for_the_objects_of_its_commonest_machine_and_libc() -> None:
    found = objects_to_resolve(MemoryView(TREE), b"/t")
    assert set(found.paths) == {b"/t/bin/program", b"/t/prebuilds/linux-x64/addon.node"}
    assert found.left_out == {"amd64 on musl": 1, "arm64": 1}


def test_of_as_many_for_each_the_first_by_name_is_taken_so_that_the_answer_is_the_same() -> None:
    tree = {b"/t/a": MUSL, b"/t/b": ARM64, b"/t/c": library(b"c.so", b"libc.so.6")}
    assert objects_to_resolve(MemoryView(tree), b"/t").paths == (b"/t/c",)


def test_a_directory_without_objects_is_refused() -> None:
    with pytest.raises(NoObjects, match="no dynamically linked"):
        objects_to_resolve(MemoryView({b"/t/readme.md": b"text"}), b"/t")


@pytest.mark.parametrize("path", [b"/", b"/t/..", b"/up"])
def test_a_whole_system_is_refused(path: bytes) -> None:
    view = MemoryView({**TREE, b"/up": ViewLink(b"/")})
    for look in (
        lambda: objects_to_resolve(view, path),
        lambda: added_objects(view, [path], b"/t/bin/program"),
    ):
        with pytest.raises(TooMuchToResolve, match="whole system"):
            look()


def test_a_directory_with_too_many_files_is_refused_and_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory_objects, "MAX_ENTRIES", 10)
    assert objects_to_resolve(MemoryView(TREE), b"/t").paths
    monkeypatch.setattr(directory_objects, "MAX_ENTRIES", 9)
    with pytest.raises(TooMuchToResolve, match="more than 9 files"):
        objects_to_resolve(MemoryView(TREE), b"/t")
