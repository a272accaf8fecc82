"""What every source must do, whatever it is made of."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeAlias, cast

import pytest

from denizen.errors import SourceFailed
from denizen.sources.base import Scope, SnapshotIdentity, Source
from denizen.sources.deb_directory import DirectoryOfDebs
from denizen.sources.errors import NoSuchSuite
from tests.support.debian_archive import Archive, package_paragraph
from tests.support.debian_sources import debian
from tests.support.debs import Item, deb
from tests.support.faulty_server import Server

# The same two packages everywhere: (name, version, architecture, files).
PACKAGES = (
    ("libx1", "1.2-1", "amd64", ("usr/lib/x86_64-linux-gnu/libx.so.1", "usr/share/doc/libx1/copyright")),
    ("x-data", "1.2-1", "all", ("usr/share/x/data file",)),
    ("libx1", "1.1-1", "i386", ("usr/lib/i386-linux-gnu/libx.so.1",)),
)
Made: TypeAlias = tuple[Source, str]


def _archive(root: Path) -> Archive:
    archive = Archive(root / "archive")
    here = [(name, version, arch) for name, version, arch, _ in PACKAGES if arch != "i386"]
    for paragraph in (package_paragraph(*words) for words in here):
        archive.add_package_file(paragraph)
    contents = {
        architecture: "".join(
            f"{path}   libs/{name}\n"
            for name, _, arch, paths in PACKAGES
            if arch == architecture
            for path in sorted(paths)
        ).encode()
        for architecture in ("amd64", "all")
    }
    archive.publish(packages=[package_paragraph(*words) for words in here], contents=contents)
    return archive


@contextlib.contextmanager
def _over_file(root: Path) -> Iterator[Made]:
    yield debian([f"file:{_archive(root).root}"], root / "lists"), "stable"


@contextlib.contextmanager
def _over_http(root: Path) -> Iterator[Made]:
    with Server(_archive(root).root) as server:
        yield debian([server.url], root / "lists"), "stable"


@contextlib.contextmanager
def _directory(root: Path) -> Iterator[Made]:
    place = root / "debs" / "below"
    place.mkdir(parents=True)
    for name, version, architecture, paths in PACKAGES:
        control = f"Package: {name}\nVersion: {version}\nArchitecture: {architecture}\nDescription: x\n"
        content = deb([Item(f"./{path}", content=b"content") for path in paths], control=control.encode())
        (place / f"{name}_{version}_{architecture}.deb").write_bytes(content)
    yield DirectoryOfDebs("mine", bytes(root / "debs")), "mine"


@pytest.fixture(params=[_over_file, _over_http, _directory], ids=["file", "http", "directory"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Made]:
    with cast("Callable[[Path], AbstractContextManager[Made]]", request.param)(tmp_path) as source:
        yield source


def test_it_has_a_name_and_suites(made: Made) -> None:
    source, suite = made
    assert source.name
    assert suite in source.suites


def test_the_same_state_is_the_same_snapshot(made: Made) -> None:
    source, suite = made
    first, second = source.snapshot(suite, None), source.snapshot(suite, None)
    assert first == second
    assert (first.source, first.asked) == (source.name, suite)
    assert source.snapshot(suite, SnapshotIdentity(first.identity, first.date)) == first


def test_a_suite_it_does_not_have_fails(made: Made) -> None:
    with pytest.raises(SourceFailed):
        made[0].snapshot("nosuch", None)


def test_what_is_prepared_need_not_be_fetched_again(made: Made) -> None:
    source, suite = made
    snapshot = source.snapshot(suite, None)
    assert source.size(snapshot, "amd64", Scope.LIBRARIES) <= source.size(snapshot, "amd64", Scope.PATHS)
    source.prepare(snapshot, "amd64", Scope.PATHS)
    assert source.size(snapshot, "amd64", Scope.PATHS) == 0


def test_packages_are_those_of_the_architecture_and_of_all(made: Made) -> None:
    source, suite = made
    snapshot = source.snapshot(suite, None)
    source.prepare(snapshot, "amd64", Scope.LIBRARIES)
    found = [
        (package.name, package.version, package.architecture)
        for package in source.packages(snapshot, "amd64")
    ]
    assert sorted(found) == [(b"libx1", b"1.2-1", b"amd64"), (b"x-data", b"1.2-1", b"all")]


def test_libraries_and_paths_name_their_packages(made: Made) -> None:
    source, suite = made
    snapshot = source.snapshot(suite, None)
    source.prepare(snapshot, "amd64", Scope.PATHS)
    libraries = [(path, owner.rpartition(b"/")[2]) for path, owner in source.libraries(snapshot, "amd64")]
    assert libraries == [(b"usr/lib/x86_64-linux-gnu/libx.so.1", b"libx1")]
    paths = {
        (directory + b"/" + name, owner.rpartition(b"/")[2])
        for directory, owner, names in source.paths(snapshot, "amd64")
        for name in names
    }
    assert paths == {
        (b"usr/lib/x86_64-linux-gnu/libx.so.1", b"libx1"),
        (b"usr/share/doc/libx1/copyright", b"libx1"),
        (b"usr/share/x/data file", b"x-data"),
    }


def test_a_packages_file_is_what_its_hash_says(made: Made, tmp_path: Path) -> None:
    import hashlib

    source, suite = made
    snapshot = source.snapshot(suite, None)
    source.prepare(snapshot, "amd64", Scope.LIBRARIES)
    packages = list(source.packages(snapshot, "amd64"))
    paths = source.fetch(packages, bytes(tmp_path / "fetched"))
    for package, path in zip(packages, paths, strict=True):
        content = Path(path.decode()).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest().encode()) == (package.size, package.sha256)


def test_forgetting_nothing_that_is_kept(made: Made) -> None:
    source, suite = made
    snapshot = source.snapshot(suite, None)
    source.prepare(snapshot, "amd64", Scope.PATHS)
    source.forget([(snapshot, "amd64")])
    assert len(list(source.packages(snapshot, "amd64"))) == 2


def test_a_missing_place_is_the_sources_failure(tmp_path: Path) -> None:
    for source, suite in (
        (DirectoryOfDebs("mine", bytes(tmp_path / "no")), "mine"),
        (debian([f"file:{tmp_path}/no"], tmp_path / "lists"), "stable"),
    ):
        with pytest.raises(SourceFailed):
            cast("Source", source).snapshot(suite, None)


def test_another_suite_of_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoSuchSuite, match="one suite"):
        DirectoryOfDebs("mine", bytes(tmp_path)).snapshot("stable", None)


def test_addresses_give_the_package_itself(made: Made) -> None:
    source, suite = made
    snapshot = source.snapshot(suite, None)
    source.prepare(snapshot, "amd64", Scope.LIBRARIES)
    for package in source.packages(snapshot, "amd64"):
        urls = source.addresses(package)
        assert urls
        assert all(url.startswith(("http://", "https://", "file:///")) for url in urls)
