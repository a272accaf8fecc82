import os
from pathlib import Path

import pytest

from denizen.formats.inflate import BadStream
from denizen.formats.packages import BadPackages, package_of
from denizen.sources.base import Scope, SnapshotIdentity
from denizen.sources.errors import (
    BadSignature,
    Downgrade,
    DownloadFailed,
    Expired,
    HashMismatch,
    Incomplete,
    NoSuchSuite,
)
from tests.support.debian_archive import DATE, Archive, package_paragraph, sample
from tests.support.debian_sources import A_DAY, debian
from tests.support.faulty_server import Fault, Server

LATER = "Sun, 12 Jul 2026 10:16:37 UTC"


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    made = Archive(tmp_path / "archive")
    sample(made)
    return made


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    return tmp_path / "lists"


def url(archive: Archive) -> str:
    return f"file:{archive.root}"


def test_a_signed_suite_is_known_by_what_was_signed(archive: Archive, lists: Path) -> None:
    snapshot = debian([url(archive)], lists).snapshot("stable", None)
    assert (snapshot.source, snapshot.asked, snapshot.suite) == ("debian", "stable", "trixie")
    assert (snapshot.date, snapshot.notes) == (DATE, ())
    again = debian([url(archive)], lists).snapshot("stable", None)
    assert again.identity == snapshot.identity
    sample(archive, date=LATER)
    assert debian([url(archive)], lists).snapshot("stable", None).identity != snapshot.identity


def test_release_with_a_signature_beside_it_is_as_good(archive: Archive, lists: Path) -> None:
    inline = debian([url(archive)], lists).snapshot("stable", None)
    sample(archive, release_only=True)
    assert debian([url(archive)], lists).snapshot("stable", None).identity == inline.identity


@pytest.mark.parametrize("release_only", ["no", "yes"])
def test_an_unsigned_release_is_refused(archive: Archive, lists: Path, release_only: str) -> None:
    sample(archive, signer=None, release_only=release_only == "yes")
    with pytest.raises((BadSignature, DownloadFailed)):
        debian([url(archive)], lists).snapshot("stable", None)


def test_a_release_signed_by_a_stranger_is_refused(archive: Archive, lists: Path) -> None:
    sample(archive, signer="stranger")
    with pytest.raises(BadSignature) as caught:
        debian([url(archive)], lists).snapshot("stable", None)
    assert caught.value.keyrings == ("archive",)


def test_a_stranger_is_told_of_though_it_is_not_asked_again(archive: Archive, lists: Path) -> None:
    sample(archive, signer="stranger")
    source = debian([url(archive)], lists, origin="Debian")
    for ask in (source.snapshot, source.anew, source.snapshot):
        with pytest.raises(BadSignature):
            ask("stable", None)


def test_another_suites_release_is_refused_however_well_signed(archive: Archive, lists: Path) -> None:
    sample(archive, suite="oldstable", codename="bookworm", directory="stable")
    with pytest.raises(NoSuchSuite, match="bookworm"):
        debian([url(archive)], lists).snapshot("stable", None)


def test_an_expired_release_is_refused_unless_allowed(archive: Archive, lists: Path) -> None:
    sample(archive, valid_until=LATER)
    assert debian([url(archive)], lists, now=DATE + A_DAY).snapshot("stable", None).notes == ()
    late = DATE + A_DAY + 1
    with pytest.raises(Expired):
        debian([url(archive)], lists, now=late).snapshot("stable", None)
    allowed = debian([url(archive)], lists, now=late, check_valid_until=False).snapshot("stable", None)
    assert "past its Valid-Until" in allowed.notes[0]


def test_a_release_older_than_the_one_held_is_refused(archive: Archive, lists: Path) -> None:
    source = debian([url(archive)], lists)
    assert source.snapshot("stable", SnapshotIdentity("x", DATE)).date == DATE
    with pytest.raises(Downgrade):
        source.snapshot("stable", SnapshotIdentity("x", DATE + 1))


def test_a_mirror_with_a_bad_release_is_passed_over(archive: Archive, tmp_path: Path, lists: Path) -> None:
    stale, forged = Archive(tmp_path / "stale"), Archive(tmp_path / "forged")
    sample(stale, date="Fri, 10 Jul 2026 10:16:37 UTC")
    sample(forged, signer="stranger")
    source = debian([url(forged), url(stale), url(archive)], lists)
    assert source.snapshot("stable", SnapshotIdentity("x", DATE)).date == DATE


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


def test_a_missing_suite_names_the_address(archive: Archive, lists: Path) -> None:
    with pytest.raises(NoSuchSuite, match="dists/nosuch"):
        debian([url(archive)], lists).snapshot("nosuch", None)


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
