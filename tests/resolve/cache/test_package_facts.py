"""Facts of a package: read once, kept whole, as good for the linker model as the package itself."""

import hashlib
import itertools
import os
from pathlib import Path

import pytest

from denizen import elf
from denizen.errors import BadInput
from denizen.resolve.cache.elf_skeleton import kept_ranges
from denizen.resolve.cache.package_facts import FactsCache, merged
from tests.support.debs import Item, deb, directory, hard_link, symlink
from tests.support.elf_builder import Elf, Symbol, build

LIBRARY = build(
    Elf(
        soname=b"liba.so.1",
        needed=(b"libc.so.6",),
        symbols=(Symbol(b"f", version=b"A_1"),),
        appended=bytes(9000),
    )
)


def learned(tmp_path: Path, items: list[Item]) -> tuple[FactsCache, bytes]:
    content = deb(items)
    path = tmp_path / "a.deb"
    path.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest().encode()
    cache = FactsCache(os.fsencode(tmp_path / "facts"))
    cache.learn(sha256, os.fsencode(path))
    return cache, sha256


def test_a_library_reads_from_its_skeleton_as_from_the_package(tmp_path: Path) -> None:
    cache, sha256 = learned(tmp_path, [directory("./lib"), Item("./lib/liba.so.1.2", content=LIBRARY)])
    facts = cache.get(sha256)
    assert facts is not None
    image, original = elf.read(facts.read(b"usr/lib/liba.so.1.2")), elf.read(LIBRARY)
    assert image.dynamic == original.dynamic
    assert image.symbols.defined_versions == original.symbols.defined_versions
    assert facts.sizes == {b"usr/lib/liba.so.1.2": len(LIBRARY)}


def test_converters_of_the_c_library_are_no_libraries(tmp_path: Path) -> None:
    items = [
        Item("./usr/lib/liba.so.1.2", content=LIBRARY),
        Item("./usr/lib/x86_64-linux-gnu/gconv/CP932.so", content=LIBRARY),
    ]
    cache, sha256 = learned(tmp_path, items)
    facts = cache.get(sha256)
    assert facts is not None
    assert facts.file(b"usr/lib/x86_64-linux-gnu/gconv/CP932.so") is None
    index = tmp_path / "facts" / sha256.decode() / "index"
    index.write_bytes(index.read_bytes() + b"file\tusr/lib/gconv/OLD.so\t7\t9\n")
    again = FactsCache(os.fsencode(tmp_path / "facts")).get(sha256)
    assert again == facts


def test_links_and_second_names_lead_to_the_file(tmp_path: Path) -> None:
    items = [
        Item("./usr/lib/liba.so.1.2", content=LIBRARY),
        symlink("./usr/lib/liba.so.1", "liba.so.1.2"),
        symlink("./usr/lib/x/liba.so", "../liba.so.1"),
        hard_link("./usr/lib/libb.so.1", "./usr/lib/liba.so.1.2"),
        symlink("./usr/lib/libc.so", "/etc/alternatives/libc.so"),
        symlink("./usr/lib/loop.so", "loop.so.1"),
        symlink("./usr/lib/loop.so.1", "loop.so"),
    ]
    cache, sha256 = learned(tmp_path, items)
    facts = cache.get(sha256)
    assert facts is not None
    for path in (b"/lib/liba.so.1", b"/usr/lib/x/liba.so", b"usr/lib/libb.so.1"):
        assert facts.file(path) == b"usr/lib/liba.so.1.2"
    assert facts.file(b"usr/lib/libc.so") is None
    assert facts.file(b"usr/lib/loop.so") is None
    assert facts.named(b"liba.so") == b"usr/lib/liba.so.1.2"
    assert facts.named(b"libz.so") is None


def test_what_is_no_library_is_not_kept(tmp_path: Path) -> None:
    items = [Item("./usr/lib/liba.so", content=b"GROUP ( libc.so.6 )"), Item("./usr/bin/a", content=LIBRARY)]
    cache, sha256 = learned(tmp_path, items)
    facts = cache.get(sha256)
    assert facts is not None
    assert facts.skeletons == {}


def test_a_package_that_cannot_be_read_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "a.deb"
    path.write_bytes(b"!<arch>\nnonsense")
    cache = FactsCache(os.fsencode(tmp_path / "facts"))
    with pytest.raises(BadInput):
        cache.learn(b"0" * 64, os.fsencode(path))
    assert os.listdir(tmp_path / "facts") == []
    assert cache.get(b"0" * 64) is None


def test_reading_a_package_twice_is_harmless(tmp_path: Path) -> None:
    _, sha256 = learned(tmp_path, [Item("./usr/lib/liba.so.1", content=LIBRARY)])
    FactsCache(os.fsencode(tmp_path / "facts")).learn(sha256, os.fsencode(tmp_path / "a.deb"))
    assert len(os.listdir(tmp_path / "facts")) == 1


def test_what_is_kept_is_in_order_and_within_the_file() -> None:
    ranges = kept_ranges(LIBRARY)
    assert ranges[0][0] == 0
    assert all(start < end <= len(LIBRARY) for start, end in ranges)
    assert all(first[1] < second[0] for first, second in itertools.pairwise(ranges))
    assert kept_ranges(b"no elf") == ()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"/lib/x", b"usr/lib/x"),
        (b"lib64/x", b"usr/lib64/x"),
        (b"/usr/lib/x", b"usr/lib/x"),
        (b"opt/x", b"opt/x"),
    ],
)
def test_paths_are_those_of_a_system_with_merged_usr(path: bytes, expected: bytes) -> None:
    assert merged(path) == expected
