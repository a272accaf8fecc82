from pathlib import Path

import pytest

from denizen.sources.base import SnapshotIdentity
from denizen.sources.errors import BadSignature, Downgrade, DownloadFailed, Expired, NoSuchSuite
from tests.support.debian_archive import DATE, Archive, sample
from tests.support.debian_sources import A_DAY, debian

LATER = "Sun, 12 Jul 2026 10:16:37 UTC"


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


def test_a_missing_suite_names_the_address(archive: Archive, lists: Path) -> None:
    with pytest.raises(NoSuchSuite, match="dists/nosuch"):
        debian([url(archive)], lists).snapshot("nosuch", None)
