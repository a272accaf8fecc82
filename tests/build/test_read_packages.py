"""What was read of packages for their facts is what they are unpacked from, within a bound."""

import hashlib
import os
from io import BytesIO
from pathlib import Path

import pytest

from denizen.app.resolution.resolve_program import resolve_path
from denizen.app.supply.package_supply import supply_of
from denizen.app.supply.store_access import made_store
from denizen.build import build_plan, package_unpack
from denizen.build.package_unpack import NotPromised, PackageFile, unpack
from denizen.build.read_packages import ReadPackages, in_memory
from denizen.formats.archive_tree import Layout
from denizen.formats.deb import Deb
from denizen.formats.file_tree import Directory, File
from denizen.resolve.cache.package_facts import FactsCache
from denizen.resolve.installation.install import install
from denizen.sources.fetch_policy import FetchPolicy
from denizen.store.nar_digest import Digest
from tests.support.command_context import context_of
from tests.support.debs import Item, deb, directory, hard_link, symlink
from tests.support.elf_builder import Elf, build
from tests.support.offline_roots import DenizenHome

LIBRARY = build(Elf(soname=b"liba.so.1", appended=bytes(600_000)))
CONTENT = deb(
    [
        directory("./lib"),
        Item("./lib/liba.so.1.2", content=LIBRARY),
        Item("./usr/bin/a", content=b"x" * 5000, mode=0o755),
        symlink("./lib/liba.so.1", "liba.so.1.2"),
        hard_link("./usr/bin/b", "usr/bin/a"),
    ]
)
SHA256 = hashlib.sha256(CONTENT).hexdigest().encode()


@pytest.fixture
def package(tmp_path: Path) -> bytes:
    path = tmp_path / "a.deb"
    path.write_bytes(CONTENT)
    return os.fsencode(path)


def unpacked(package: bytes, tree: Path, read: ReadPackages | None) -> Digest:
    file = PackageFile(package, SHA256, "a", Layout.USR_MERGED, os.fsencode(tree), ())
    return unpack(file, read)


def facts_cache(tmp_path: Path, read: ReadPackages) -> FactsCache:
    return FactsCache(os.fsencode(tmp_path / "facts"), read)


def test_a_package_read_for_its_facts_is_unpacked_without_its_file(tmp_path: Path, package: bytes) -> None:
    expected = unpacked(package, tmp_path / "expected", None)
    read = ReadPackages()
    facts = facts_cache(tmp_path, read).learn(SHA256, package)
    os.unlink(package)
    assert unpacked(package, tmp_path / "tree", read) == expected
    assert facts.named(b"liba.so.1") == b"usr/lib/liba.so.1.2"


@pytest.mark.parametrize("room", [0, len(LIBRARY), len(LIBRARY) + 4999])
def test_a_package_without_room_has_the_same_facts_and_is_not_held(
    tmp_path: Path, package: bytes, room: int
) -> None:
    read = ReadPackages(room)
    facts = facts_cache(tmp_path, read).learn(SHA256, package)
    assert facts.sizes == {b"usr/lib/liba.so.1.2": len(LIBRARY)}
    assert bytes(facts.read(b"usr/lib/liba.so.1.2")[:4]) == b"\x7fELF"
    assert read.entries(SHA256) is None
    assert read.room == room


def test_no_more_is_held_than_there_is_room_for_until_all_is_let_go() -> None:
    read = ReadPackages(10)
    read.keep(b"a", [Directory(b""), File(b"x", executable=False, size=6, content=(b"x" * 6,))])
    read.keep(b"b", [File(b"", executable=False, size=5, content=(b"y" * 5,))])
    assert (read.entries(b"a") is None, read.entries(b"b"), read.room) == (False, None, 4)
    read.keep(b"a", [])  # by another reader of the same package
    assert read.room == 4
    read.clear()
    assert (read.entries(b"a"), read.room) == (None, 10)


def test_what_is_in_memory_can_be_read_twice() -> None:
    entries, whole = in_memory(Deb(BytesIO(CONTENT)).entries(Layout.USR_MERGED), len(LIBRARY) + 5000)
    assert whole
    for _ in range(2):
        found = {one.path: b"".join(one.content) for one in entries if isinstance(one, File)}
        assert found == {b"usr/lib/liba.so.1.2": LIBRARY, b"usr/bin/a": b"x" * 5000}


def test_a_file_of_another_hash_is_not_decoded(
    tmp_path: Path, package: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("denizen.resolve.cache.package_facts.Deb", None)
    read = ReadPackages()
    with pytest.raises(NotPromised):
        facts_cache(tmp_path, read).learn(b"0" * 64, package)
    assert read.entries(b"0" * 64) is None


@pytest.mark.usefixtures("alone")
def test_a_first_start_decodes_each_package_once_and_reads_no_derivation_that_it_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = DenizenHome(tmp_path)
    program = os.fsencode(home.compile("program"))
    home.denizen("index", "update")
    session = context_of(dict(os.environ), os.fspath(home.root)).session
    resolution = resolve_path(session, program, FetchPolicy())
    monkeypatch.setattr(package_unpack, "Deb", None)
    monkeypatch.setattr(build_plan, "load", None)
    with made_store(session) as store:
        supply = supply_of(session, FetchPolicy())
        made = install(store, resolution, supply)
        assert os.path.exists(store.place_of(made.libraries))
    assert len(resolution.packages) > 1
    assert all(supply.read.entries(pin.sha256) is None for pin in resolution.packages)
