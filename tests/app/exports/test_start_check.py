"""The check that a program starts from an exported root."""

import pytest

from denizen.app.exports.disk_entries import same_content
from denizen.app.exports.start_check import StartsNotFromRoot, check_start
from denizen.exports.rootfs_tree import SYSTEM, RootTree
from denizen.formats.file_tree import File
from denizen.linker.ldcache import CacheEntry
from denizen.linker.ldcache_writer import write_cache
from tests.support.memory_archive import libc, library, program

PROGRAM = b"opt/tool/tool"


def root_with(files: dict[bytes, bytes]) -> RootTree:
    root = RootTree(same_content)
    for path, content in files.items():
        root.add(File(path.lstrip(b"/"), executable=True, size=len(content), content=(content,)), SYSTEM)
    for name in (b"lib", b"lib64"):
        root.link(name, b"usr/lib/x86_64-linux-gnu" if name == b"lib64" else b"usr/lib")
    return root


def files(directory: bytes) -> dict[bytes, bytes]:
    return {**libc(), PROGRAM: program(b"liba.so.1"), directory + b"/liba.so.1": library(b"liba.so.1")}


def test_a_program_with_its_libraries_starts() -> None:
    check_start(root_with(files(b"usr/lib/x86_64-linux-gnu")), PROGRAM)


def test_a_library_in_a_private_directory_is_found_by_the_cache() -> None:
    with pytest.raises(StartsNotFromRoot) as caught:
        check_start(root_with(files(b"usr/lib/private")), PROGRAM)
    assert caught.value.lacking == ("liba.so.1",)
    root = root_with(files(b"usr/lib/private"))
    root.write(
        b"etc/ld.so.cache", write_cache([CacheEntry(b"liba.so.1", b"/usr/lib/private/liba.so.1", 0x303)])
    )
    check_start(root, PROGRAM)


def test_a_dynamic_linker_that_is_not_there_is_told() -> None:
    found = files(b"usr/lib/x86_64-linux-gnu")
    root = root_with({path: text for path, text in found.items() if b"ld-linux" not in path})
    with pytest.raises(StartsNotFromRoot, match="would not find itself"):
        check_start(root, PROGRAM)
