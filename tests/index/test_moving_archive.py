"""An archive in the middle of an update: what a mirror has does not fit what its Release names."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from denizen.index.index_manifest import read_manifest
from denizen.index.retry_policy import RetryPolicy
from denizen.index.update import update
from denizen.index.update_targets import UpdateOutcome, UpdateTarget
from denizen.sources.base import Scope, SilentTransfer
from denizen.sources.errors import BadSignature, Downgrade, DownloadFailed, Incomplete
from tests.support.debian_archive import DATE, Archive, package_paragraph, sample
from tests.support.debian_sources import A_DAY, debian
from tests.support.faulty_server import Fault, Server

DAYS = {
    number: f"{('Sat', 'Sun', 'Mon', 'Tue')[number]}, {11 + number} Jul 2026 10:16:37 UTC"
    for number in range(4)
}
PATIENCE = RetryPolicy()


class Told(SilentTransfer):
    """What was said, and how long was waited."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.waits: list[float] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


class Moving:
    """An archive whose states are made one after the other, behind a server that mixes them."""

    def __init__(self, root: Path) -> None:
        self.archive = Archive(root / "archive")
        self.server = Server(self.archive.root)
        self.index, self.lists = root / "index", root / "lists"
        self.told = Told()
        self.mirrors: list[str] = []
        self._own: dict[tuple[str, int], set[Path]] = {}
        self.during_wait: Callable[[int], object] = lambda _: None

    def publish(self, day: int, suite: str = "stable", codename: str = "trixie") -> bytes:
        """Publish the state of a day, with a package of its own; return its InRelease."""
        before = self._by_hash(suite)
        contents = {"amd64": b"usr/lib/x86_64-linux-gnu/libday%d.so.1  libs/day%d\n" % (day, day)}
        sample(
            self.archive,
            suite=suite,
            codename=codename,
            date=DAYS[day],
            packages=[package_paragraph(f"day{day}")],
            contents=contents,
        )
        self._own[suite, day] = self._by_hash(suite) - before
        return self.release(suite).read_bytes()

    def _by_hash(self, suite: str) -> set[Path]:
        return set((self.archive.root / "dists" / suite).rglob("by-hash/SHA256/*"))

    def release(self, suite: str = "stable") -> Path:
        return self.archive.root / "dists" / suite / "InRelease"

    def lose(self, day: int, suite: str = "stable") -> None:
        """Take a state's own lists away, as from a mirror that got the Release first."""
        for path in self._own[suite, day]:
            path.unlink()
        for path in (self.archive.root / "dists" / suite / "main").rglob("*"):
            if path.is_file() and "by-hash" not in path.parts:
                path.unlink()

    def copy(self, suite: str, other: str) -> None:
        """Give the suite's present state under another name too, as mirrors do by a symbolic link."""
        shutil.copytree(self.archive.root / "dists" / suite, self.archive.root / "dists" / other)

    def update(self, *suites: str, scope: Scope = Scope.LIBRARIES) -> list[UpdateOutcome]:
        source = debian(
            self.mirrors or [self.server.url], self.lists, now=DATE + 5 * A_DAY, progress=self.told
        )
        targets = [
            UpdateTarget(source, suite, "amd64", rank, scope)
            for rank, suite in enumerate(suites or ["stable"])
        ]
        return update(bytes(self.index), targets, self.told, patience=RetryPolicy(pause=self._wait))

    def _wait(self, seconds: float) -> None:
        self.told.waits.append(seconds)
        self.during_wait(len(self.told.waits))

    def dates(self) -> dict[str, int]:
        """The day of each suite's index in force."""
        return {entry.suite: (entry.date - DATE) // A_DAY for entry in read_manifest(bytes(self.index))}


@pytest.fixture
def moving(tmp_path: Path) -> Iterator[Moving]:
    made = Moving(tmp_path)
    with made.server:
        yield made


def test_a_state_whose_lists_come_later_is_waited_for(moving: Moving) -> None:
    moving.publish(1)
    whole = moving.archive.root / "dists/stable/main"
    whole.rename(whole.with_name("later"))
    moving.during_wait = lambda count: whole.with_name("later").rename(whole) if count == 3 else None
    (outcome,) = moving.update()
    assert (outcome.failure, moving.dates()) == (None, {"trixie": 1})
    assert moving.told.waits == [3, 6, 12]
    assert any("is inconsistent" in note for note in moving.told.notes)
    assert "asking again in 6 s (2 of 6)" in moving.told.notes


@pytest.mark.parametrize("by_hash", ["by hash too", "by name only"])
def test_a_list_of_another_size_under_the_same_name_is_asked_for_once_a_round(
    moving: Moving, by_hash: str
) -> None:
    by_both = by_hash == "by hash too"
    sample(moving.archive, date=DAYS[1], by_hash=by_both, packages=[package_paragraph("newer")])
    for path in moving.archive.root.rglob("Packages.xz"):
        path.write_bytes(b"of another state")
    for path in moving.archive.root.rglob("by-hash/SHA256/*"):
        path.unlink()
    for path in moving.archive.root.rglob("Contents-*.xz"):
        path.write_bytes(path.read_bytes()[:-1])
    rounds: list[list[str]] = []

    def next_round(count: int) -> None:
        rounds.append([path for path, _ in moving.server.requests])
        moving.server.requests.clear()
        if count == 2:
            sample(moving.archive, date=DAYS[2], by_hash=by_both, packages=[package_paragraph("newest")])

    moving.during_wait = next_round
    (outcome,) = moving.update()
    assert (outcome.failure, moving.dates()) == (None, {"trixie": 2})
    assert len(rounds) == 2
    for paths in rounds:
        assert len(paths) == len(set(paths))


def test_answers_that_alternate_between_two_states_end_with_the_newest(moving: Moving) -> None:
    older, newer = moving.publish(1), moving.publish(2)
    # Of the older state nothing is there any more.
    moving.lose(1)
    moving.publish(2)
    moving.server.faults["InRelease"] = [Fault(body=older), Fault(body=newer)] * 3
    (outcome,) = moving.update()
    assert (outcome.failure, moving.dates()) == (None, {"trixie": 2})
    assert moving.told.waits == [3]


def test_alternating_answers_are_not_taken_for_an_attack_on_what_is_held(moving: Moving) -> None:
    moving.server.validators = False
    older, newer = moving.publish(0), moving.publish(1)
    assert moving.update()[0].changed
    moving.server.faults["InRelease"] = [Fault(body=older), Fault(body=newer)]
    (outcome,) = moving.update()
    assert (outcome.failure, outcome.changed, moving.dates()) == (None, False, {"trixie": 1})
    moving.server.always["InRelease"] = Fault(body=older)
    (outcome,) = moving.update()
    assert isinstance(outcome.failure, Downgrade)
    assert moving.dates() == {"trixie": 1}
    assert moving.told.waits == [3, 3]


def test_the_older_of_two_offered_states_is_taken_where_it_alone_is_complete(moving: Moving) -> None:
    older, newer = moving.publish(1), moving.publish(2)
    moving.lose(2)
    moving.server.faults["InRelease"] = [Fault(body=newer), Fault(body=older)]
    (outcome,) = moving.update()
    assert (outcome.failure, moving.dates()) == (None, {"trixie": 1})
    assert any("an older state than the newest" in note for note in outcome.notes)


def test_an_older_complete_state_never_replaces_the_one_held(moving: Moving) -> None:
    older = moving.publish(0)
    moving.publish(1)
    assert moving.update()[0].changed
    newer = moving.publish(2)
    moving.lose(2)
    moving.server.faults["InRelease"] = [Fault(body=newer), Fault(body=older)] * 4
    (outcome,) = moving.update()
    assert isinstance(outcome.failure, Incomplete)
    assert moving.dates() == {"trixie": 1}


def test_more_of_the_state_held_is_fetched_where_the_newest_is_incomplete(moving: Moving) -> None:
    moving.publish(0)
    assert moving.update()[0].changed
    moving.publish(1)
    moving.lose(1)
    (outcome,) = moving.update(scope=Scope.PATHS)
    assert (outcome.failure, moving.dates()) == (None, {"trixie": 0})
    (entry,) = read_manifest(bytes(moving.index))
    assert entry.paths
    assert moving.told.waits == [3]


def test_another_mirror_is_asked_for_its_state_where_the_first_does_not_hang_together(
    moving: Moving, tmp_path: Path
) -> None:
    moving.publish(2)
    moving.lose(2)
    behind = Archive(tmp_path / "behind")
    sample(behind, date=DAYS[1])
    with Server(behind.root) as other:
        moving.mirrors = [moving.server.url, other.url]
        (outcome,) = moving.update()
    assert (outcome.failure, moving.dates()) == (None, {"trixie": 1})
    assert len(moving.told.waits) == 1


def test_an_archive_that_never_hangs_together_leaves_what_there_is_and_the_other_suites(
    moving: Moving,
) -> None:
    moving.publish(0)
    assert moving.update()[0].changed
    moving.publish(1)
    moving.lose(1)
    moving.publish(2, suite="oldstable", codename="bookworm")
    missing, had = moving.update("stable", "oldstable")
    assert isinstance(missing.failure, Incomplete)
    assert "Contents-amd64" in missing.failure.what or "Packages" in missing.failure.what
    assert "2026-07-12" in missing.failure.what
    assert "HTTP 404" in missing.failure.why
    assert "being updated" in missing.failure.remedy
    assert "network" not in missing.failure.remedy
    assert (had.failure, moving.dates()) == (None, {"trixie": 0, "bookworm": 2})
    assert moving.told.waits == list(PATIENCE.delays())
    assert sum(moving.told.waits) < 200


def test_lists_that_the_codename_lacks_are_fetched_by_the_name_of_the_suite(moving: Moving) -> None:
    moving.publish(1)
    moving.copy("stable", "trixie")
    shutil.rmtree(moving.archive.root / "dists/trixie/main")
    (outcome,) = moving.update("trixie")
    assert (outcome.failure, moving.dates()) == (None, {"trixie": 1})
    assert moving.told.waits == [3]


def test_the_state_under_the_other_name_is_taken_where_the_asked_name_has_no_complete_one(
    moving: Moving,
) -> None:
    moving.publish(1)
    moving.copy("stable", "complete")
    moving.publish(2)
    moving.lose(2)
    dists = moving.archive.root / "dists"
    (dists / "stable").rename(dists / "trixie")
    (dists / "complete").rename(dists / "stable")
    (outcome,) = moving.update("trixie")
    assert (outcome.failure, moving.dates()) == (None, {"trixie": 1})
    assert any("an older state than the newest" in note for note in outcome.notes)


def test_the_other_name_is_not_believed_where_it_is_of_another_release(moving: Moving) -> None:
    moving.publish(1, suite="oldstable")
    moving.publish(1)
    dists = moving.archive.root / "dists"
    shutil.rmtree(dists / "stable/main")
    (dists / "oldstable").rename(dists / "trixie")
    (outcome,) = moving.update("stable")
    assert isinstance(outcome.failure, Incomplete)
    assert moving.dates() == {}


def test_later_rounds_ask_past_caches_and_unconditionally(moving: Moving) -> None:
    moving.publish(0)
    moving.update()
    moving.publish(1)
    moving.lose(1)
    moving.server.headers.clear()
    moving.update()
    asked = [headers for path, headers in moving.server.headers if path.endswith("stable/InRelease")]
    (first, *later) = asked
    assert "If-None-Match" in first
    assert "Cache-Control" not in first
    assert len(later) == PATIENCE.rounds
    for headers in later:
        assert headers["Cache-Control"] == "no-cache"
        assert "If-None-Match" not in headers
        assert "If-Modified-Since" not in headers
    lists = [headers for path, headers in moving.server.headers if "/main/" in path]
    assert lists[-1]["Cache-Control"] == "no-cache"


def test_a_network_that_is_gone_is_not_waited_for(moving: Moving) -> None:
    moving.publish(0)
    moving.server.always["/main/"] = Fault(status=503)
    moving.server.always["Packages.xz"] = moving.server.always["Contents-amd64.xz"] = Fault(status=503)
    for path in list(moving.archive.root.rglob("by-hash/SHA256/*")):
        moving.server.always[path.name] = Fault(status=503)
    (outcome,) = moving.update()
    assert isinstance(outcome.failure, DownloadFailed)
    assert "network" in outcome.failure.remedy
    assert moving.told.waits == []


def test_a_bad_signature_is_asked_for_once_more_only(moving: Moving) -> None:
    moving.publish(0)
    sample(moving.archive, signer="stranger")
    (outcome,) = moving.update()
    assert isinstance(outcome.failure, BadSignature)
    assert moving.told.waits == [3]
