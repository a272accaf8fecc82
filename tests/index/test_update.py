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


class Workshop:
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
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    made = Workshop(tmp_path)
    with made.server:
        yield made


def test_a_first_update_makes_an_index_that_answers(workshop: Workshop) -> None:
    outcome = workshop.update()
    assert (outcome.changed, outcome.failure) == (True, None)
    index = Index(bytes(workshop.index), "amd64")
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


def test_nothing_new_costs_one_request_and_says_when_it_was_checked(workshop: Workshop) -> None:
    first = workshop.update()
    count = len(workshop.server.requests)
    second = workshop.update(now=DATE + 2 * A_DAY)
    assert not second.changed
    assert (len(workshop.server.requests), workshop.server.unchanged) == (count + 1, 1)
    assert first.entry is not None
    assert second.entry is not None
    assert (second.entry.libraries, second.entry.checked) == (first.entry.libraries, DATE + 2 * A_DAY)


def test_a_release_that_was_refused_or_damaged_is_not_taken_for_unchanged(workshop: Workshop) -> None:
    workshop.update()
    (kept,) = workshop.lists.glob("debian/*.release")
    kept.write_bytes(b"damage")
    assert workshop.update().failure is None
    assert workshop.server.unchanged == 0
    sample(workshop.archive, date=LATER, signer="stranger")
    for _ in range(2):
        assert isinstance(workshop.update().failure, BadSignature)
    assert workshop.server.unchanged == 0


def test_a_kept_release_that_was_changed_is_fetched_again(workshop: Workshop) -> None:
    workshop.update()
    (kept,) = workshop.lists.glob("debian/*.release")
    kept.write_bytes(kept.read_bytes().replace(b"Suite: stable", b"Suite: forged"))
    outcome = workshop.update()
    assert (outcome.failure, outcome.changed, workshop.server.unchanged) == (None, False, 1)
    assert workshop.update().failure is None
    assert workshop.server.unchanged == 2


def test_an_update_fetches_only_what_changed_and_tells_the_difference(workshop: Workshop) -> None:
    workshop.update()
    sample(
        workshop.archive,
        date=LATER,
        packages=[
            package_paragraph("libssl3t64", "3.5-2"),
            package_paragraph("libc6", "2.41-12"),
            package_paragraph("brand-new"),
        ],
    )
    workshop.server.requests.clear()
    outcome = workshop.update()
    assert (outcome.added, outcome.removed, outcome.altered) == (1, 2, 1)
    # InRelease and Packages; Contents is the same file as before.
    assert len(workshop.server.requests) == 2
    assert workshop.files() == sorted(["lock", "manifest", *_names(outcome)])


def _names(outcome: UpdateOutcome) -> list[str]:
    assert outcome.entry is not None
    return sorted(name for name in (outcome.entry.libraries, outcome.entry.paths) if name)


def test_paths_are_added_when_they_are_first_wanted_and_kept_up_to_date_then(workshop: Workshop) -> None:
    workshop.update()
    workshop.server.requests.clear()
    outcome = workshop.update(Scope.PATHS)
    assert (outcome.changed, len(workshop.server.requests)) == (True, 2)
    index = Index(bytes(workshop.index), "amd64")
    (place,) = index.commands(b"openssl")
    assert (place.path, place.package, place.version) == (b"/usr/bin/openssl", b"openssl", b"3.5-1")
    index.close()
    sample(workshop.archive, date=LATER)
    later = workshop.update()
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
    workshop: Workshop,
    change: dict[str, object],
    failure: type[DenizenError] | tuple[type[DenizenError], ...],
) -> None:
    before = workshop.update()
    sample(workshop.archive, **{"date": LATER, **change})
    outcome = workshop.update()
    assert isinstance(outcome.failure, failure)
    assert outcome.entry == before.entry
    assert workshop.providers(b"libssl.so.3") == [b"libssl3t64"]
    assert workshop.files() == sorted(["lock", "manifest", *_names(before)])


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
    workshop: Workshop, fault: Fault, where: str
) -> None:
    before = workshop.update()
    sample(workshop.archive, date=LATER, packages=[package_paragraph("other")])
    workshop.server.always[where] = fault
    outcome = workshop.update()
    assert outcome.failure is not None
    assert outcome.failure.remedy
    assert outcome.entry == before.entry
    assert workshop.providers(b"libssl.so.3") == [b"libssl3t64"]
    workshop.server.always.clear()
    assert workshop.update().changed


def test_a_mirror_that_only_trickles_is_given_up_and_the_old_stays_in_force(workshop: Workshop) -> None:
    before = workshop.update()
    sample(workshop.archive, date=LATER, packages=[package_paragraph(f"p{n}") for n in range(500)])
    workshop.server.always["by-hash"] = Fault()
    workshop.server.always[""] = Fault(pause=0.01)
    source = debian(
        [workshop.server.url],
        workshop.lists,
        min_rate=1_000_000,
        patience=0.05,
        attempts=2,
        suites=("stable",),
    )
    target = UpdateTarget(source, "stable", "amd64", 0, Scope.LIBRARIES)
    (outcome,) = update(bytes(workshop.index), [target], SilentTransfer())
    assert isinstance(outcome.failure, DownloadFailed)
    assert "bytes a second" in outcome.failure.why
    assert outcome.entry == before.entry
    assert workshop.providers(b"libssl.so.3") == [b"libssl3t64"]


@pytest.mark.parametrize("seed", range(4))
def test_a_connection_cut_at_random_places_again_and_again_still_brings_the_whole(
    workshop: Workshop, seed: int
) -> None:
    sample(workshop.archive, packages=[package_paragraph(f"p{n}") for n in range(300)])
    chance = random.Random(seed)
    workshop.server.faults[""] = [Fault(cut=chance.randrange(1, 2000)) for _ in range(12)]
    source = debian([workshop.server.url], workshop.lists, attempts=20)
    (outcome,) = update(
        bytes(workshop.index), [UpdateTarget(source, "stable", "amd64", 0, Scope.PATHS)], SilentTransfer()
    )
    assert outcome.changed
    index = Index(bytes(workshop.index), "amd64")
    assert len(index.packages(b"p299")) == 1
    index.close()


def test_one_suite_that_fails_does_not_keep_the_others_back(workshop: Workshop) -> None:
    sample(workshop.archive, suite="oldstable", codename="bookworm", signer="stranger")
    source = debian([workshop.server.url], workshop.lists)
    targets = [
        UpdateTarget(source, suite, "amd64", rank, Scope.LIBRARIES)
        for rank, suite in enumerate(["oldstable", "stable"])
    ]
    first, second = update(bytes(workshop.index), targets, SilentTransfer())
    assert isinstance(first.failure, BadSignature)
    assert second.changed
    assert workshop.providers(b"libssl.so.3") == [b"libssl3t64"]


def test_the_plan_is_told_before_anything_is_fetched(workshop: Workshop) -> None:
    source = debian([workshop.server.url], workshop.lists)
    told: list[tuple[int, int]] = []

    def planned(plans: object) -> None:
        assert isinstance(plans, list)
        (plan,) = plans
        assert isinstance(plan, UpdatePlan)
        told.append((plan.size, len(workshop.server.requests)))

    update(
        bytes(workshop.index),
        [UpdateTarget(source, "stable", "amd64", 0, Scope.PATHS)],
        SilentTransfer(),
        planned=planned,
    )
    ((size, requests),) = told
    assert size > 0
    assert requests == 1


def test_an_update_interrupted_while_it_fetches_resumes_later(workshop: Workshop) -> None:
    workshop.update()
    sample(workshop.archive, date=LATER, packages=[package_paragraph(f"p{n}") for n in range(2000)])
    workshop.server.always[""] = Fault(pause=0.001)

    class Impatient(SilentTransfer):
        count = 0

        def received(self, name: str, count: int) -> None:
            # The lists, not the Release, which is too small to be resumed.
            self.count += 0 if name.endswith("InRelease") else count
            if self.count > 1000:
                raise KeyboardInterrupt

    source = debian([workshop.server.url], workshop.lists, progress=Impatient())
    with pytest.raises(KeyboardInterrupt):
        update(
            bytes(workshop.index),
            [UpdateTarget(source, "stable", "amd64", 0, Scope.LIBRARIES)],
            SilentTransfer(),
        )
    assert workshop.providers(b"libssl.so.3") == [b"libssl3t64"]
    workshop.server.always.clear()
    workshop.server.requests.clear()
    assert workshop.update().changed
    assert any(header.startswith("bytes=") for _, header in workshop.server.requests)


def test_what_an_interrupted_update_left_is_removed_by_the_next(workshop: Workshop) -> None:
    workshop.update()
    (workshop.index / "debian-trixie-amd64-ffff.libraries.new").write_bytes(b"half")
    (workshop.index / "debian-trixie-amd64-eeee.libraries").write_bytes(b"whole but unknown")
    (workshop.index / "notes").write_bytes(b"not ours")
    outcome = workshop.update()
    assert workshop.files() == sorted(["lock", "manifest", "notes", *_names(outcome)])


def test_a_lost_or_damaged_index_file_is_made_anew(workshop: Workshop) -> None:
    outcome = workshop.update()
    (name,) = _names(outcome)
    (workshop.index / name).unlink()
    assert workshop.update().changed
    (workshop.index / name).write_bytes(b"damage")
    assert workshop.update(force=True).changed
    assert workshop.providers(b"libssl.so.3") == [b"libssl3t64"]


def test_two_names_of_a_suite_share_one_index(workshop: Workshop) -> None:
    workshop.archive.name_too("stable", "trixie")
    source = debian([workshop.server.url], workshop.lists)
    first = workshop.update()
    by_alias, by_codename = (
        UpdateTarget(source, name, "amd64", 0, Scope.LIBRARIES) for name in ("stable", "trixie")
    )
    (second,) = update(bytes(workshop.index), [by_codename], SilentTransfer())
    assert (first.changed, second.changed) == (True, False)
    (entry,) = read_manifest(bytes(workshop.index))
    assert (entry.asked, entry.suite) == (("stable", "trixie"), "trixie")
    workshop.server.requests.clear()
    outcomes = update(bytes(workshop.index), [by_alias, by_codename], SilentTransfer(), force=True)
    assert [outcome.changed for outcome in outcomes] == [True, False]
    assert workshop.providers(b"libssl.so.3") == [b"libssl3t64"]


def test_a_name_that_moves_on_to_another_suite_leaves_the_old_one_its_other_names(workshop: Workshop) -> None:
    workshop.archive.name_too("stable", "trixie")
    source = debian([workshop.server.url], workshop.lists)
    targets = [UpdateTarget(source, name, "amd64", 0, Scope.LIBRARIES) for name in ("stable", "trixie")]
    update(bytes(workshop.index), targets, SilentTransfer())
    sample(workshop.archive, codename="forky", date=LATER)
    source = debian([workshop.server.url], workshop.lists)
    update(
        bytes(workshop.index), [UpdateTarget(source, "stable", "amd64", 0, Scope.LIBRARIES)], SilentTransfer()
    )
    found = {(entry.suite, entry.asked) for entry in read_manifest(bytes(workshop.index))}
    assert found == {("trixie", ("trixie",)), ("forky", ("stable",))}


def test_a_suite_nobody_asks_for_any_more_is_dropped(workshop: Workshop) -> None:
    workshop.update()
    sample(workshop.archive, codename="forky", date=LATER)
    outcome = workshop.update()
    (entry,) = read_manifest(bytes(workshop.index))
    assert (entry.suite, entry.asked) == ("forky", ("stable",))
    assert workshop.files() == sorted(["lock", "manifest", *_names(outcome)])


def test_another_name_cannot_bring_an_older_state(workshop: Workshop) -> None:
    workshop.update()
    sample(workshop.archive, directory="trixie", date="Fri, 10 Jul 2026 10:16:37 UTC")
    source = debian([workshop.server.url], workshop.lists)
    target = UpdateTarget(source, "trixie", "amd64", 0, Scope.LIBRARIES)
    (outcome,) = update(bytes(workshop.index), [target], SilentTransfer())
    assert isinstance(outcome.failure, Downgrade)


def test_a_damaged_manifest_is_said_and_mended_by_force(workshop: Workshop) -> None:
    workshop.update()
    (workshop.index / "manifest").write_bytes(b"Format: %b\n\nSource: debian\n" % FORMAT)
    with pytest.raises(DamagedManifest) as caught:
        workshop.update()
    assert "--force" in caught.value.remedy
    assert workshop.update(force=True).changed
    assert workshop.providers(b"libssl.so.3") == [b"libssl3t64"]


def test_a_manifest_of_another_format_is_as_none(workshop: Workshop) -> None:
    workshop.update()
    (workshop.index / "manifest").write_bytes(b"Format: 0\n\nWhatever: it says\n")
    assert read_manifest(bytes(workshop.index)) == ()
    assert workshop.update().changed


def test_a_reader_keeps_the_index_it_opened(workshop: Workshop) -> None:
    outcome = workshop.update()
    (name,) = _names(outcome)
    held = LibraryIndex(bytes(workshop.index / name))
    sample(workshop.archive, date=LATER, contents={"amd64": b"usr/lib/libother.so.1 libs/libc6\n"})
    workshop.update()
    assert [provider.package for provider in held.providers(b"libssl.so.3")] == [b"libssl3t64"]
    held.close()
    assert workshop.providers(b"libssl.so.3") == []


def _update_in_process(root: Path, url: str, keys: bytes) -> None:
    source = debian([url], root / "lists", keys=keys)
    update(bytes(root / "index"), [UpdateTarget(source, "stable", "amd64", 0, Scope.PATHS)], SilentTransfer())


@pytest.mark.slow
def test_two_updates_at_once_make_one_index_and_fetch_it_once(workshop: Workshop, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=_update_in_process, args=(tmp_path, workshop.server.url, keyring()))
        for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert workshop.providers(b"libssl.so.3") == [b"libssl3t64"]
    assert len([path for path, _ in workshop.server.requests if "by-hash" in path]) == 3


def test_a_second_update_waits_and_says_so(workshop: Workshop) -> None:
    workshop.update()
    notes: list[str] = []

    class Told(SilentTransfer):
        def note(self, text: str) -> None:
            notes.append(text)
            release.set()

    release = threading.Event()
    descriptor = os.open(workshop.index / "lock", os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)

    def let_go() -> None:
        release.wait(10)
        os.close(descriptor)

    helper = threading.Thread(target=let_go)
    helper.start()
    source = debian([workshop.server.url], workshop.lists)
    update(bytes(workshop.index), [UpdateTarget(source, "stable", "amd64", 0, Scope.LIBRARIES)], Told())
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
    workshop: Workshop, small_disk: Path, full: str
) -> None:
    before = workshop.update()
    setattr(workshop, full, small_disk / full)
    if full == "index":
        shutil.copytree(workshop.archive.root.parent / "index", workshop.index)
    padding = [f"usr/lib/x86_64-linux-gnu/lib{os.urandom(30).hex()}.so.1 libs/libc6" for _ in range(30_000)]
    contents = {"amd64": "\n".join(padding).encode()}
    sample(workshop.archive, date=LATER, contents=contents, suffixes=[""])
    try:
        failure: object = workshop.update().failure
    except NoRoom as error:
        failure = error
    assert isinstance(failure, NoRoom)
    assert "No space left" in failure.why
    if full == "index":
        assert workshop.files() == sorted(["lock", "manifest", *_names(before)])
        assert workshop.providers(b"libssl.so.3") == [b"libssl3t64"]
    workshop.index = workshop.archive.root.parent / "index"
    assert workshop.providers(b"libssl.so.3") == [b"libssl3t64"]
