import fcntl
import multiprocessing
import os
import random
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from denizen.errors import DenizenError
from denizen.formats.inflate import BadStream
from denizen.index.entry import DirectoryKind
from denizen.index.library_index import LibraryIndex
from denizen.index.locate import Index
from denizen.index.manifest import FORMAT, DamagedManifest, read_manifest
from denizen.index.update_targets import UpdateOutcome, UpdatePlan, UpdateTarget
from denizen.sources.base import (
    BadSignature,
    Downgrade,
    DownloadFailed,
    Expired,
    Incomplete,
    NoRoom,
    Scope,
    SilentTransfer,
)
from tests.support.debian_archive import DATE, Archive, keyring, package_paragraph, sample
from tests.support.debian_sources import A_DAY, debian, update
from tests.support.faulty_server import Fault, Server

LATER = "Sun, 12 Jul 2026 10:16:37 UTC"


class IndexedArchive:
    """An archive behind a misbehaving server, and the indexes made from it."""

    def __init__(self, root: Path) -> None:
        self.archive = Archive(root / "archive")
        sample(self.archive)
        self.index = root / "index"
        self.lists = root / "lists"
        self.server = Server(self.archive.root)

    def update(
        self, scope: Scope = Scope.LIBRARIES, *, force: bool = False, now: float = DATE + A_DAY
    ) -> UpdateOutcome:
        source = debian([self.server.url], self.lists, now=now)
        (outcome,) = update(
            bytes(self.index),
            [UpdateTarget(source, "stable", "amd64", 0, scope)],
            SilentTransfer(),
            force=force,
            clock=lambda: now,
        )
        return outcome

    def providers(self, soname: bytes) -> list[bytes]:
        index = Index(bytes(self.index), "amd64")
        try:
            return [provider.package for provider in index.providers(soname)]
        finally:
            index.close()

    def files(self) -> list[str]:
        return sorted(os.listdir(self.index))


@pytest.fixture
def indexed(tmp_path: Path) -> Iterator[IndexedArchive]:
    made = IndexedArchive(tmp_path)
    with made.server:
        yield made


def test_a_first_update_makes_an_index_that_answers(indexed: IndexedArchive) -> None:
    outcome = indexed.update()
    assert (outcome.changed, outcome.failure) == (True, None)
    index = Index(bytes(indexed.index), "amd64")
    (provider,) = index.providers(b"libssl.so.3")
    assert (provider.package, provider.version, provider.kind) == (
        b"libssl3t64",
        b"3.5-1",
        DirectoryKind.DEFAULT,
    )
    assert provider.path == b"/usr/lib/x86_64-linux-gnu/libssl.so.3"
    assert (provider.source, provider.suite, provider.architecture) == ("debian", "trixie", "amd64")
    assert (provider.dependents, provider.depends) == (1, b"libc6 (>= 2.38)")
    (libc,) = index.packages(b"libc6")
    assert (libc.essential, libc.source_package, libc.dependents) == (True, b"glibc", 2)
    index.close()


def test_nothing_new_costs_one_request_and_says_when_it_was_checked(indexed: IndexedArchive) -> None:
    first = indexed.update()
    count = len(indexed.server.requests)
    second = indexed.update(now=DATE + 2 * A_DAY)
    assert not second.changed
    assert (len(indexed.server.requests), indexed.server.unchanged) == (count + 1, 1)
    assert first.entry is not None
    assert second.entry is not None
    assert (second.entry.libraries, second.entry.checked) == (first.entry.libraries, DATE + 2 * A_DAY)


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


def test_an_update_fetches_only_what_changed_and_tells_the_difference(indexed: IndexedArchive) -> None:
    indexed.update()
    sample(
        indexed.archive,
        date=LATER,
        packages=[
            package_paragraph("libssl3t64", "3.5-2"),
            package_paragraph("libc6", "2.41-12"),
            package_paragraph("brand-new"),
        ],
    )
    indexed.server.requests.clear()
    outcome = indexed.update()
    assert (outcome.added, outcome.removed, outcome.altered) == (1, 2, 1)
    # InRelease and Packages; Contents is the same file as before.
    assert len(indexed.server.requests) == 2
    assert indexed.files() == sorted(["lock", "manifest", *_names(outcome)])


def _names(outcome: UpdateOutcome) -> list[str]:
    assert outcome.entry is not None
    return sorted(name for name in (outcome.entry.libraries, outcome.entry.paths) if name)


def test_paths_are_added_when_they_are_first_wanted_and_kept_up_to_date_then(indexed: IndexedArchive) -> None:
    indexed.update()
    indexed.server.requests.clear()
    outcome = indexed.update(Scope.PATHS)
    assert (outcome.changed, len(indexed.server.requests)) == (True, 2)
    index = Index(bytes(indexed.index), "amd64")
    (place,) = index.commands(b"openssl")
    assert (place.path, place.package, place.version) == (b"/usr/bin/openssl", b"openssl", b"3.5-1")
    index.close()
    sample(indexed.archive, date=LATER)
    later = indexed.update()
    assert later.entry is not None
    assert later.entry.paths.endswith(".paths")


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
    assert indexed.files() == sorted(["lock", "manifest", *_names(before)])


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


def test_the_plan_is_told_before_anything_is_fetched(indexed: IndexedArchive) -> None:
    source = debian([indexed.server.url], indexed.lists)
    told: list[tuple[int, int]] = []

    def planned(plans: object) -> None:
        assert isinstance(plans, list)
        (plan,) = plans
        assert isinstance(plan, UpdatePlan)
        told.append((plan.size, len(indexed.server.requests)))

    update(
        bytes(indexed.index),
        [UpdateTarget(source, "stable", "amd64", 0, Scope.PATHS)],
        SilentTransfer(),
        planned=planned,
    )
    ((size, requests),) = told
    assert size > 0
    assert requests == 1


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
    assert indexed.files() == sorted(["lock", "manifest", "notes", *_names(outcome)])


def test_a_lost_or_damaged_index_file_is_made_anew(indexed: IndexedArchive) -> None:
    outcome = indexed.update()
    (name,) = _names(outcome)
    (indexed.index / name).unlink()
    assert indexed.update().changed
    (indexed.index / name).write_bytes(b"damage")
    assert indexed.update(force=True).changed
    assert indexed.providers(b"libssl.so.3") == [b"libssl3t64"]


def test_two_names_of_a_suite_share_one_index(indexed: IndexedArchive) -> None:
    indexed.archive.name_too("stable", "trixie")
    source = debian([indexed.server.url], indexed.lists)
    first = indexed.update()
    by_alias, by_codename = (
        UpdateTarget(source, name, "amd64", 0, Scope.LIBRARIES) for name in ("stable", "trixie")
    )
    (second,) = update(bytes(indexed.index), [by_codename], SilentTransfer())
    assert (first.changed, second.changed) == (True, False)
    (entry,) = read_manifest(bytes(indexed.index))
    assert (entry.asked, entry.suite) == (("stable", "trixie"), "trixie")
    indexed.server.requests.clear()
    outcomes = update(bytes(indexed.index), [by_alias, by_codename], SilentTransfer(), force=True)
    assert [outcome.changed for outcome in outcomes] == [True, False]
    assert indexed.providers(b"libssl.so.3") == [b"libssl3t64"]


def test_a_name_that_moves_on_to_another_suite_leaves_the_old_one_its_other_names(
    indexed: IndexedArchive,
) -> None:
    indexed.archive.name_too("stable", "trixie")
    source = debian([indexed.server.url], indexed.lists)
    targets = [UpdateTarget(source, name, "amd64", 0, Scope.LIBRARIES) for name in ("stable", "trixie")]
    update(bytes(indexed.index), targets, SilentTransfer())
    sample(indexed.archive, codename="forky", date=LATER)
    source = debian([indexed.server.url], indexed.lists)
    update(
        bytes(indexed.index), [UpdateTarget(source, "stable", "amd64", 0, Scope.LIBRARIES)], SilentTransfer()
    )
    found = {(entry.suite, entry.asked) for entry in read_manifest(bytes(indexed.index))}
    assert found == {("trixie", ("trixie",)), ("forky", ("stable",))}


def test_a_suite_nobody_asks_for_any_more_is_dropped(indexed: IndexedArchive) -> None:
    indexed.update()
    sample(indexed.archive, codename="forky", date=LATER)
    outcome = indexed.update()
    (entry,) = read_manifest(bytes(indexed.index))
    assert (entry.suite, entry.asked) == ("forky", ("stable",))
    assert indexed.files() == sorted(["lock", "manifest", *_names(outcome)])


def test_another_name_cannot_bring_an_older_state(indexed: IndexedArchive) -> None:
    indexed.update()
    sample(indexed.archive, directory="trixie", date="Fri, 10 Jul 2026 10:16:37 UTC")
    source = debian([indexed.server.url], indexed.lists)
    target = UpdateTarget(source, "trixie", "amd64", 0, Scope.LIBRARIES)
    (outcome,) = update(bytes(indexed.index), [target], SilentTransfer())
    assert isinstance(outcome.failure, Downgrade)


def test_a_damaged_manifest_is_said_and_mended_by_force(indexed: IndexedArchive) -> None:
    indexed.update()
    (indexed.index / "manifest").write_bytes(b"Format: %b\n\nSource: debian\n" % FORMAT)
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


def test_a_reader_keeps_the_index_it_opened(indexed: IndexedArchive) -> None:
    outcome = indexed.update()
    (name,) = _names(outcome)
    held = LibraryIndex(bytes(indexed.index / name))
    sample(indexed.archive, date=LATER, contents={"amd64": b"usr/lib/libother.so.1 libs/libc6\n"})
    indexed.update()
    assert [provider.package for provider in held.providers(b"libssl.so.3")] == [b"libssl3t64"]
    held.close()
    assert indexed.providers(b"libssl.so.3") == []


def _update_in_process(root: Path, url: str, keys: bytes) -> None:
    source = debian([url], root / "lists", keys=keys)
    update(bytes(root / "index"), [UpdateTarget(source, "stable", "amd64", 0, Scope.PATHS)], SilentTransfer())


@pytest.mark.slow
def test_two_updates_at_once_make_one_index_and_fetch_it_once(
    indexed: IndexedArchive, tmp_path: Path
) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=_update_in_process, args=(tmp_path, indexed.server.url, keyring()))
        for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert indexed.providers(b"libssl.so.3") == [b"libssl3t64"]
    assert len([path for path, _ in indexed.server.requests if "by-hash" in path]) == 3


def test_a_second_update_waits_and_says_so(indexed: IndexedArchive) -> None:
    indexed.update()
    notes: list[str] = []

    class Told(SilentTransfer):
        def note(self, text: str) -> None:
            notes.append(text)
            release.set()

    release = threading.Event()
    descriptor = os.open(indexed.index / "lock", os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)

    def let_go() -> None:
        release.wait(10)
        os.close(descriptor)

    helper = threading.Thread(target=let_go)
    helper.start()
    source = debian([indexed.server.url], indexed.lists)
    update(bytes(indexed.index), [UpdateTarget(source, "stable", "amd64", 0, Scope.LIBRARIES)], Told())
    helper.join()
    assert notes == ["another update is running; waiting for it"]


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
        assert indexed.files() == sorted(["lock", "manifest", *_names(before)])
        assert indexed.providers(b"libssl.so.3") == [b"libssl3t64"]
    indexed.index = indexed.archive.root.parent / "index"
    assert indexed.providers(b"libssl.so.3") == [b"libssl3t64"]
