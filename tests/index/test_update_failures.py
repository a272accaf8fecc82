"""An index update that meets a bad archive, mirror or disk, or is interrupted: the old stays in force."""

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from denizen.errors import DenizenError
from denizen.formats.inflate import BadStream
from denizen.index.index_manifest import FORMAT, DamagedManifest, read_manifest
from denizen.index.locate import Index
from denizen.index.update_targets import UpdateTarget
from denizen.sources.base import Scope, SilentTransfer
from denizen.sources.errors import BadSignature, Downgrade, DownloadFailed, Expired, Incomplete, NoRoom
from tests.support.debian_archive import package_paragraph, sample
from tests.support.debian_sources import debian, update
from tests.support.faulty_server import Fault
from tests.support.indexed_archives import LATER, IndexedArchive, names_of


def test_a_release_that_was_refused_or_damaged_is_not_taken_for_unchanged(indexed: IndexedArchive) -> None:
    indexed.update()
    (kept,) = indexed.lists.glob("debian/*.release")
    kept.write_bytes(b"damage")
    assert indexed.update().failure is None
    assert indexed.server.unchanged == 0
    sample(indexed.archive, date=LATER, signer="stranger")
    for _ in range(2):
        assert isinstance(indexed.update().failure, BadSignature)
    assert indexed.server.unchanged == 0


def test_a_kept_release_that_was_changed_is_fetched_again(indexed: IndexedArchive) -> None:
    indexed.update()
    (kept,) = indexed.lists.glob("debian/*.release")
    kept.write_bytes(kept.read_bytes().replace(b"Suite: stable", b"Suite: forged"))
    outcome = indexed.update()
    assert (outcome.failure, outcome.changed, indexed.server.unchanged) == (None, False, 1)
    assert indexed.update().failure is None
    assert indexed.server.unchanged == 2


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"date": "yesterday"}, "/dists/stable/InRelease cannot be used: the date 'yesterday'"),
        ({"valid_until": "never"}, "/dists/stable/InRelease cannot be used: the date 'never'"),
        ({"cut": {"main/Contents-amd64.xz": 30}}, "main/Contents-amd64.xz of source debian is unusable"),
        ({"cut": {"main/binary-amd64/Packages.xz": 30}}, "main/binary-amd64/Packages.xz of source debian is"),
    ],
    ids=["date", "until", "cut Contents", "cut Packages"],
)
def test_what_is_malformed_is_named(indexed: IndexedArchive, change: dict[str, object], name: str) -> None:
    """There are five suites and more sources: "a xz file" says too little."""
    sample(indexed.archive, **{"date": LATER, **change})
    failure = indexed.update().failure
    assert failure is not None
    assert name in failure.what


@pytest.mark.parametrize(
    ("change", "failure"),
    [
        ({"signer": None}, BadSignature),
        ({"signer": "stranger"}, BadSignature),
        ({"date": "Fri, 10 Jul 2026 10:16:37 UTC"}, Downgrade),
        ({"valid_until": "Sat, 11 Jul 2026 12:00:00 UTC"}, Expired),
        ({"contents": {"amd64": b"usr/lib/lonely.so\n"}}, DenizenError),
        ({"packages": ["Package: x\n"]}, DenizenError),
        ({"cut": {"main/Contents-amd64.xz": 30}}, BadStream),
        ({"cut": {"main/binary-amd64/Packages.xz": 30}}, BadStream),
        ({"claims": {"main/binary-amd64/Packages.xz": b"x" * 480}}, Incomplete),
    ],
    ids=[
        "unsigned",
        "forged",
        "replayed",
        "expired",
        "bad Contents",
        "bad Packages",
        "cut Contents",
        "cut Packages",
        "wrong hash",
    ],
)
def test_whatever_is_wrong_with_the_new_the_old_stays_in_force(
    indexed: IndexedArchive,
    change: dict[str, object],
    failure: type[DenizenError] | tuple[type[DenizenError], ...],
) -> None:
    before = indexed.update()
    sample(indexed.archive, **{"date": LATER, **change})
    outcome = indexed.update()
    assert isinstance(outcome.failure, failure)
    assert outcome.entry == before.entry
    assert indexed.providers(b"libssl.so.3") == [b"libssl3t64"]
    assert indexed.files() == sorted(["lock", "manifest", *names_of(before)])


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=404),
        Fault(status=503),
        Fault(status=429),
        Fault(cut=10),
        Fault(body=b"<html>welcome</html>"),
    ],
    ids=["404", "503", "429", "cut", "captive portal"],
)
@pytest.mark.parametrize("where", ["InRelease", ""], ids=["release", "everything"])
def test_whatever_is_wrong_with_the_mirror_the_old_stays_in_force(
    indexed: IndexedArchive, fault: Fault, where: str
) -> None:
    before = indexed.update()
    sample(indexed.archive, date=LATER, packages=[package_paragraph("other")])
    indexed.server.always[where] = fault
    outcome = indexed.update()
    assert outcome.failure is not None
    assert outcome.failure.remedy
    assert outcome.entry == before.entry
    assert indexed.providers(b"libssl.so.3") == [b"libssl3t64"]
    indexed.server.always.clear()
    assert indexed.update().changed


def test_a_mirror_that_only_trickles_is_given_up_and_the_old_stays_in_force(indexed: IndexedArchive) -> None:
    before = indexed.update()
    sample(indexed.archive, date=LATER, packages=[package_paragraph(f"p{n}") for n in range(500)])
    indexed.server.always["by-hash"] = Fault()
    indexed.server.always[""] = Fault(pause=0.01)
    source = debian(
        [indexed.server.url],
        indexed.lists,
        min_rate=1_000_000,
        patience=0.05,
        attempts=2,
        suites=("stable",),
    )
    target = UpdateTarget(source, "stable", "amd64", 0, Scope.LIBRARIES)
    (outcome,) = update(bytes(indexed.index), [target], SilentTransfer())
    assert isinstance(outcome.failure, DownloadFailed)
    assert "bytes a second" in outcome.failure.why
    assert outcome.entry == before.entry
    assert indexed.providers(b"libssl.so.3") == [b"libssl3t64"]


@pytest.mark.parametrize("seed", range(4))
def test_a_connection_cut_at_random_places_again_and_again_still_brings_the_whole(
    indexed: IndexedArchive, seed: int
) -> None:
    sample(indexed.archive, packages=[package_paragraph(f"p{n}") for n in range(300)])
    chance = random.Random(seed)
    indexed.server.faults[""] = [Fault(cut=chance.randrange(1, 2000)) for _ in range(12)]
    source = debian([indexed.server.url], indexed.lists, attempts=20)
    (outcome,) = update(
        bytes(indexed.index), [UpdateTarget(source, "stable", "amd64", 0, Scope.PATHS)], SilentTransfer()
    )
    assert outcome.changed
    index = Index(bytes(indexed.index), "amd64")
    assert len(index.packages(b"p299")) == 1
    index.close()


def test_one_suite_that_fails_does_not_keep_the_others_back(indexed: IndexedArchive) -> None:
    sample(indexed.archive, suite="oldstable", codename="bookworm", signer="stranger")
    source = debian([indexed.server.url], indexed.lists)
    targets = [
        UpdateTarget(source, suite, "amd64", rank, Scope.LIBRARIES)
        for rank, suite in enumerate(["oldstable", "stable"])
    ]
    first, second = update(bytes(indexed.index), targets, SilentTransfer())
    assert isinstance(first.failure, BadSignature)
    assert second.changed
    assert indexed.providers(b"libssl.so.3") == [b"libssl3t64"]


def test_an_update_interrupted_while_it_fetches_resumes_later(indexed: IndexedArchive) -> None:
    indexed.update()
    sample(indexed.archive, date=LATER, packages=[package_paragraph(f"p{n}") for n in range(2000)])
    indexed.server.always[""] = Fault(pause=0.001)

    class Impatient(SilentTransfer):
        count = 0

        def received(self, name: str, count: int) -> None:
            # The lists, not the Release, which is too small to be resumed.
            self.count += 0 if name.endswith("InRelease") else count
            if self.count > 1000:
                raise KeyboardInterrupt

    source = debian([indexed.server.url], indexed.lists, progress=Impatient())
    with pytest.raises(KeyboardInterrupt):
        update(
            bytes(indexed.index),
            [UpdateTarget(source, "stable", "amd64", 0, Scope.LIBRARIES)],
            SilentTransfer(),
        )
    assert indexed.providers(b"libssl.so.3") == [b"libssl3t64"]
    indexed.server.always.clear()
    indexed.server.requests.clear()
    assert indexed.update().changed
    assert any(header.startswith("bytes=") for _, header in indexed.server.requests)


def test_what_an_interrupted_update_left_is_removed_by_the_next(indexed: IndexedArchive) -> None:
    indexed.update()
    (indexed.index / "debian-trixie-amd64-ffff.libraries.new").write_bytes(b"half")
    (indexed.index / "debian-trixie-amd64-eeee.libraries").write_bytes(b"whole but unknown")
    (indexed.index / "notes").write_bytes(b"not ours")
    outcome = indexed.update()
    assert indexed.files() == sorted(["lock", "manifest", "notes", *names_of(outcome)])


def test_a_lost_or_damaged_index_file_is_made_anew(indexed: IndexedArchive) -> None:
    outcome = indexed.update()
    (name,) = names_of(outcome)
    (indexed.index / name).unlink()
    assert indexed.update().changed
    (indexed.index / name).write_bytes(b"damage")
    assert indexed.update(force=True).changed
    assert indexed.providers(b"libssl.so.3") == [b"libssl3t64"]


def test_a_damaged_manifest_is_said_and_mended_by_force(indexed: IndexedArchive) -> None:
    indexed.update()
    (indexed.index / "manifest").write_text(f"Format: {FORMAT}\n\nSource: debian\n")
    with pytest.raises(DamagedManifest) as caught:
        indexed.update()
    assert "--force" in caught.value.remedy
    assert indexed.update(force=True).changed
    assert indexed.providers(b"libssl.so.3") == [b"libssl3t64"]


def test_a_manifest_of_another_format_is_as_none(indexed: IndexedArchive) -> None:
    indexed.update()
    (indexed.index / "manifest").write_bytes(b"Format: 0\n\nWhatever: it says\n")
    assert read_manifest(bytes(indexed.index)) == ()
    assert indexed.update().changed


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB; mounting one needs root."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this container may not mount a small file system")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("full", ["index", "lists"])
def test_a_full_disk_is_the_machines_fault_and_leaves_the_old_in_force(
    indexed: IndexedArchive, small_disk: Path, full: str
) -> None:
    before = indexed.update()
    setattr(indexed, full, small_disk / full)
    if full == "index":
        shutil.copytree(indexed.archive.root.parent / "index", indexed.index)
    padding = [f"usr/lib/x86_64-linux-gnu/lib{os.urandom(30).hex()}.so.1 libs/libc6" for _ in range(30_000)]
    contents = {"amd64": "\n".join(padding).encode()}
    sample(indexed.archive, date=LATER, contents=contents, suffixes=[""])
    try:
        failure: object = indexed.update().failure
    except NoRoom as error:
        failure = error
    assert isinstance(failure, NoRoom)
    assert "No space left" in failure.why
    if full == "index":
        assert indexed.files() == sorted(["lock", "manifest", *names_of(before)])
        assert indexed.providers(b"libssl.so.3") == [b"libssl3t64"]
    indexed.index = indexed.archive.root.parent / "index"
    assert indexed.providers(b"libssl.so.3") == [b"libssl3t64"]
