"""The same question has the same answer, byte for byte, whatever the order of files and questions."""

import hashlib
import os
import random
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from denizen.disk_view import DiskView
from denizen.fileview import Executable, MemoryView
from denizen.formats.packages import Package
from denizen.resolve.cache import package_cache
from denizen.resolve.cache.cached_view import CachedView
from denizen.resolve.cache.package_facts import FactsCache, PackageFacts
from denizen.resolve.directory_objects import objects_to_resolve
from denizen.resolve.engine.catalogue import Sources
from denizen.resolve.engine.search import resolve
from denizen.resolve.lock import write
from denizen.resolve.rule_packs import load_rules
from denizen.resolve.subject import examine
from tests.support.debs import Item, deb
from tests.support.memory_archive import DIRECTORY, PROGRAM, PackageArchive, libc, library, program

ROOT = Path(__file__).parents[2]
FILES = {
    PROGRAM: program(b"lib1.so", b"lib2.so", b"lib3.so", b"libown.so", runpath=b"$ORIGIN/../lib"),
    b"/opt/app/bin/second": program(b"lib4.so", b"libnobody.so.1", runpath=b"$ORIGIN/../lib"),
    b"/opt/app/lib/libown.so": library(b"libown.so", b"lib5.so"),
    b"/opt/app/plugins/a.so": library(b"a.so", b"lib7.so", b"libown.so", runpath=b"$ORIGIN/../lib"),
    b"/opt/app/plugins/b.so": library(b"b.so", b"lib8.so", b"a.so", runpath=b"$ORIGIN"),
    b"/opt/app/plugins/c.so": library(b"c.so", b"lib9.so", b"libnone.so.2"),
}


@pytest.mark.parametrize("seed", range(8))
def test_the_order_in_which_packages_are_known_does_not_matter(seed: int) -> None:
    assert _lock(_market(random.Random(seed)), FILES) == _lock(_market(), FILES)


@pytest.mark.parametrize("seed", range(8))
def test_the_order_of_roots_and_the_numbers_of_files_do_not_matter(seed: int) -> None:
    chance = random.Random(seed)
    shuffled = dict(chance.sample(list(FILES.items()), len(FILES)))
    roots = chance.sample(list(FILES), len(FILES))
    assert _lock(_market(), shuffled, roots) == _lock(_market(), FILES, list(FILES))


@pytest.mark.parametrize("seed", range(4))
def test_objects_of_another_machine_do_not_decide_by_coming_first(seed: int) -> None:
    strange = {b"/opt/app/arm.so": library(b"arm.so", b"libarm.so.1", machine=183)}
    files = {**FILES, **strange}
    roots = random.Random(seed).sample(list(files), len(files))
    assert _lock(_market(), files, roots) == _lock(_market(), files, list(files))


@pytest.mark.parametrize("seed", range(3))
def test_the_order_in_which_a_directory_was_written_does_not_matter(tmp_path: Path, seed: int) -> None:
    first, second = tmp_path / "first", tmp_path / "elsewhere" / "second"
    _unpack(first, list(FILES.items()))
    _unpack(second, random.Random(seed).sample(list(FILES.items()), len(FILES)))
    assert _directory_lock(second) == _directory_lock(first)


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_what_is_asked_for_besides_does_not_matter(seed: int) -> None:
    names = [b"twin0", b"lib18.so", b"twin1", b"twin2"]
    package_archive = _market()
    for name in names:
        package_archive.add("new", name, {DIRECTORY + b"libtwin.so": library(b"libtwin.so")})
    asked = random.Random(seed).sample(names, len(names))
    given = package_archive.resolve(FILES, (PROGRAM,), names)
    assert write(package_archive.resolve(FILES, (PROGRAM,), asked)) == write(given)


@pytest.mark.parametrize(("jobs", "seed"), [(1, 0), (2, 1), (2, 2), (8, 3), (8, 4), (8, 5)])
def test_how_many_packages_are_read_at_once_and_which_is_done_first_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int, seed: int
) -> None:
    chance, package_archive = random.Random(seed), _market()
    monkeypatch.setattr(package_cache, "READERS", jobs)
    cache = Straggling(os.fsencode(tmp_path / "facts"), chance)
    reading = package_cache.FetchingPackageCache(
        {"debian": Archive(package_archive)}, os.fsencode(tmp_path), cache
    )
    if seed % 2:
        # Another program was there before.
        reading.facts([one for one, _ in chance.sample(package_archive.offers, 7)])
    assert _lock(package_archive, FILES, list(FILES), reading) == _lock(_market(), FILES, list(FILES))
    assert len(cache.learned) >= 15


@pytest.mark.parametrize("jobs", [1, 2, 8])
def test_each_package_has_its_own_facts_whichever_is_read_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    package_archive = _market(random.Random(jobs))
    monkeypatch.setattr(package_cache, "READERS", jobs)
    cache = Straggling(os.fsencode(tmp_path / "facts"), random.Random(jobs))
    reading = package_cache.FetchingPackageCache(
        {"debian": Archive(package_archive)}, os.fsencode(tmp_path), cache
    )
    facts = reading.facts([one for one, _ in package_archive.offers])
    for one, files in package_archive.offers:
        found = facts[one.sha256]
        assert isinstance(found, PackageFacts)
        assert found.skeletons.keys() == files.keys()


def test_the_seed_of_hashes_does_not_matter() -> None:
    command = [sys.executable, "-m", "tests.resolve.test_determinism"]
    environments = [
        {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.fspath(ROOT)} for seed in ("1", "2")
    ]
    asked = [subprocess.Popen(command, env=one, cwd=ROOT, stdout=subprocess.PIPE) for one in environments]
    assert {process.communicate()[0] for process in asked} == {_digest()}


class Straggling(FactsCache):
    """Facts of which any may come last."""

    def __init__(self, directory: bytes, chance: random.Random) -> None:
        super().__init__(directory)
        self._chance = chance
        self.learned: list[bytes] = []

    def learn(self, sha256: bytes, deb: bytes) -> PackageFacts:
        time.sleep(self._chance.random() * 0.004)
        self.learned.append(sha256)
        return super().learn(sha256, deb)


class Archive:
    """A source that makes the packages of a package archive as they are fetched."""

    def __init__(self, package_archive: PackageArchive) -> None:
        self._files = {one.sha256: files for one, files in package_archive.offers}

    def fetch(self, packages: Sequence[Package], directory: bytes) -> list[bytes]:
        return [self._made(package, directory) for package in packages]

    def _made(self, package: Package, directory: bytes) -> bytes:
        path = os.path.join(directory, package.sha256 + b".deb")
        items = [Item("./" + name.decode(), content=one) for name, one in self._files[package.sha256].items()]
        Path(os.fsdecode(path)).write_bytes(deb(items))
        return path


def _market(order: random.Random | None = None) -> PackageArchive:
    packages = [
        ("new", b"package%d" % number, {DIRECTORY + b"lib%d.so" % number: _library(number)})
        for number in range(20)
    ]
    packages += [("old", name, files) for _, name, files in packages[::3]]
    packages.append(("new", b"libc6", libc(b"GLIBC_2.36")))
    if order is not None:
        order.shuffle(packages)
    package_archive = PackageArchive(suites=("new", "old"))
    for suite, name, files in packages:
        package_archive.add(suite, name, files)
    return package_archive


def _library(number: int) -> bytes:
    needed = [
        b"lib%d.so" % follow
        for follow in (2 * number, 3 * number + 1)
        if 0 < follow < 20 and follow != number
    ]
    defines = [(b"f%d" % number, b"V_%d" % number)]
    asks = [(b"f%d" % (2 * number), b"V_%d" % (2 * number), b"lib%d.so" % (2 * number))]
    known = asks if 0 < 2 * number < 20 else []
    return library(b"lib%d.so" % number, *needed, b"libc.so.6", defines=defines, asks=known)


def _lock(
    package_archive: PackageArchive,
    files: Mapping[bytes, bytes],
    roots: Sequence[bytes] = (PROGRAM,),
    look: package_cache.PackageCache | None = None,
) -> bytes:
    view = MemoryView({path: Executable(content) for path, content in files.items()})
    rules = load_rules()
    disk = CachedView(package_archive.disk() if look is None else DiskView())
    sources = Sources(package_archive, look or package_archive, rules, disk, {"new": "1", "old": "2"})
    return write(resolve(examine(view, roots, rules), sources))


def _unpack(top: Path, files: Sequence[tuple[bytes, bytes]]) -> None:
    for path, content in files:
        place = top / path.removeprefix(b"/opt/").decode()
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


def _directory_lock(top: Path) -> bytes:
    view, rules, package_archive = DiskView(), load_rules(), _market()
    roots = objects_to_resolve(view, os.fsencode(top)).paths
    sources = Sources(
        package_archive, package_archive, rules, CachedView(package_archive.disk()), {"new": "1"}
    )
    return write(resolve(examine(view, roots, rules), sources))


def _digest() -> bytes:
    return hashlib.sha256(_lock(_market(), FILES, list(FILES))).hexdigest().encode()


if __name__ == "__main__":
    sys.stdout.buffer.write(_digest())
