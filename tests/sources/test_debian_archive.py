import os
from pathlib import Path

import pytest

from denizen.formats.inflate import BadStream
from denizen.formats.packages import BadPackages, package_of
from denizen.sources.base import Scope
from denizen.sources.errors import HashMismatch, Incomplete, NoSuchSuite
from tests.support.debian_archive import Archive, package_paragraph, sample
from tests.support.debian_sources import debian
from tests.support.faulty_server import Fault, Server

LATER = "Sun, 12 Jul 2026 10:16:37 UTC"


def url(archive: Archive) -> str:
    return f"file:{archive.root}"


def test_all_of_a_suite_is_fetched_once_and_read_back(archive: Archive, lists: Path) -> None:
    with Server(archive.root) as server:
        source = debian([server.url], lists)
        snapshot = source.snapshot("stable", None)
        first = source.size(snapshot, "amd64", Scope.LIBRARIES)
        both = source.size(snapshot, "amd64", Scope.PATHS)
        assert 0 < first < both
        source.prepare(snapshot, "amd64", Scope.PATHS)
        assert source.size(snapshot, "amd64", Scope.PATHS) == 0
        source.prepare(snapshot, "amd64", Scope.PATHS)
        assert len(server.requests) == 4
        assert all("/by-hash/SHA256/" in path for path, _ in server.requests[1:])
    names = [package.name for package in source.packages(snapshot, "amd64")]
    assert names == [b"libssl3t64", b"libc6", b"openssl", b"openssl-data"]
    assert (b"usr/lib/x86_64-linux-gnu/libssl.so.3", b"libs/libssl3t64") in source.libraries(
        snapshot, "amd64"
    )
    assert (b"usr/share/openssl", b"doc/openssl-data", [b"a file.txt"]) in source.paths(snapshot, "amd64")


@pytest.mark.parametrize("suffixes", [[".gz"], [".xz"], [""], ["", ".gz"]])
def test_any_compression_the_archive_has_will_do(archive: Archive, lists: Path, suffixes: list[str]) -> None:
    sample(archive, suffixes=suffixes, by_hash=False)
    source = debian([url(archive)], lists)
    snapshot = source.snapshot("stable", None)
    source.prepare(snapshot, "amd64", Scope.PATHS)
    assert len(list(source.packages(snapshot, "amd64"))) == 4


def test_an_index_that_is_not_what_was_signed_is_refused(archive: Archive, lists: Path) -> None:
    sample(archive, claims={"main/Contents-amd64.xz": b"x" * 156}, by_hash=False)
    source = debian([url(archive)], lists)
    snapshot = source.snapshot("stable", None)
    with pytest.raises(Incomplete):
        source.prepare(snapshot, "amd64", Scope.LIBRARIES)


def test_an_index_that_swells_beyond_what_was_signed_is_refused(archive: Archive, lists: Path) -> None:
    sample(archive, contents={"amd64": b"x" * 100_000}, claims={"main/Contents-amd64": b"small"})
    source = debian([url(archive)], lists)
    snapshot = source.snapshot("stable", None)
    source.prepare(snapshot, "amd64", Scope.LIBRARIES)
    with pytest.raises(BadStream, match="more than"):
        list(source.libraries(snapshot, "amd64"))


def test_packages_that_break_the_rules_are_refused(archive: Archive, lists: Path) -> None:
    sample(archive, packages=[package_paragraph("good"), package_paragraph("evil", Filename="../../etc/x")])
    source = debian([url(archive)], lists)
    snapshot = source.snapshot("stable", None)
    source.prepare(snapshot, "amd64", Scope.LIBRARIES)
    with pytest.raises(BadPackages, match="evil"):
        list(source.packages(snapshot, "amd64"))


def test_an_architecture_or_a_listing_the_suite_lacks_is_said(archive: Archive, lists: Path) -> None:
    source = debian([url(archive)], lists)
    with pytest.raises(NoSuchSuite, match="no packages for s390x"):
        source.prepare(source.snapshot("stable", None), "s390x", Scope.LIBRARIES)
    sample(archive, contents={})
    with pytest.raises(NoSuchSuite, match="no Contents for amd64"):
        source.prepare(source.snapshot("stable", None), "amd64", Scope.LIBRARIES)


def test_packages_are_fetched_verified_and_only_once(archive: Archive, tmp_path: Path, lists: Path) -> None:
    paragraphs = [package_paragraph("a"), package_paragraph("b", "1:2.0~rc1-1")]
    for paragraph in paragraphs:
        archive.add_package_file(paragraph)
    packages = [package_of(paragraph.encode()) for paragraph in paragraphs]
    with Server(archive.root) as server:
        source = debian([server.url], lists)
        paths = source.fetch(packages, bytes(tmp_path / "debs"))
        assert source.fetch(packages, bytes(tmp_path / "debs")) == paths
        assert len(server.requests) == 2
    assert [Path(os.fsdecode(path)).read_text() for path in paths] == ["a 1.0-1", "b 1:2.0~rc1-1"]


def test_a_package_that_is_not_what_its_index_says_is_refused(
    archive: Archive, tmp_path: Path, lists: Path
) -> None:
    paragraph = package_paragraph("a")
    archive.add_package_file(paragraph)
    with Server(archive.root, always={".deb": Fault(body=b"A 1.0-1")}) as server:
        source = debian([server.url], lists)
        with pytest.raises(HashMismatch):
            source.fetch([package_of(paragraph.encode())], bytes(tmp_path / "debs"))


def test_what_no_index_needs_any_more_is_forgotten(archive: Archive, lists: Path) -> None:
    source = debian([url(archive)], lists)
    old = source.snapshot("stable", None)
    source.prepare(old, "amd64", Scope.PATHS)
    sample(archive, date=LATER, packages=[package_paragraph("new")])
    new = source.snapshot("stable", None)
    source.prepare(new, "amd64", Scope.PATHS)
    source.forget([(new, "amd64")])
    assert [package.name for package in source.packages(new, "amd64")] == [b"new"]
    # Contents did not change: one file serves both and stays; the old Packages and its record go.
    with pytest.raises(FileNotFoundError):
        list(source.packages(old, "amd64"))
    assert source.size(new, "amd64", Scope.PATHS) == 0
    source.forget([])
    assert os.listdir(lists / "debian") == ["partial"]
