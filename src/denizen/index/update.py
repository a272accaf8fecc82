"""Update of the indexes: lists are fetched and verified, indexes are built, then the manifest is replaced.

Until the manifest is replaced the previous indexes are complete and in use. A failure or an interruption
leaves only files that the next update removes. One update runs at a time; a second one waits for it, and then
usually has nothing to do.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time

from denizen.disk import make_directories
from denizen.errors import DenizenError
from denizen.index.index_builder import build_files
from denizen.index.index_manifest import DamagedManifest, IndexEntry, read_manifest, write_manifest
from denizen.index.library_index import LibraryIndex
from denizen.index.retry_policy import RetryPolicy
from denizen.index.update_targets import (
    UpdateOutcome,
    UpdatePlan,
    UpdateTarget,
    after,
    names_and_rank,
    with_entry,
)
from denizen.sources.base import Scope
from denizen.sources.errors import Downgrade, NoRoom
from denizen.sources.releases import shown_date
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from denizen.sources.base import Progress, Snapshot

_LOCK = b"lock"
_SUFFIXES = (b".libraries", b".paths", b".new")


def update(
    directory: bytes,
    targets: Sequence[UpdateTarget],
    progress: Progress,
    *,
    force: bool = False,
    planned: Callable[[Sequence[UpdatePlan]], None] | None = None,
    clock: Callable[[], float] = time.time,
    patience: RetryPolicy | None = None,
) -> list[UpdateOutcome]:
    """Bring the targets' indexes in `directory` up to date.

    A target that fails leaves its index unchanged and does not prevent the others' update. Targets that fail
    as they do while the archive is itself being updated are tried again after the others.

    Args:
        directory: the directory of the indexes; made if it does not exist.
        targets: the indexes to update, the preferred suites first.
        progress: is told of transfers and of waiting.
        force: build indexes again that have not changed.
        planned: is told what will be fetched, before that.
        clock: returns the time in seconds since 1970.
        patience: the retry policy for an archive whose files do not fit together.

    Raises:
        NoRoom: the directory cannot be written.
    """
    try:
        make_directories(directory)
        with _locked(directory, progress):
            run = _Update(directory, progress, force=force, planned=planned, clock=clock)
            return _update(run, targets, patience or RetryPolicy())
    except OSError as error:
        raise NoRoom(directory, error.strerror or str(error)) from error


def _update(update: _Update, targets: Sequence[UpdateTarget], patience: RetryPolicy) -> list[UpdateOutcome]:
    update.begin(targets)
    for count, delay in enumerate(patience.delays(), 1):
        again = {
            number: outcome
            for number, outcome in sorted(update.outcomes.items())
            if patience.rounds_for(outcome.failure) >= count
        }
        if not again:
            break
        for outcome in again.values():
            update.progress.note(f"{outcome.target.suite}: {_short(outcome.failure)}")
        update.progress.note(f"asking again in {delay:.0f} s ({count} of {patience.rounds})")
        patience.pause(delay)
        for number in again:
            update.retry(number, targets[number])
    _remove_strangers(update.directory, list(update.entries.values()))
    return [update.outcomes[number] for number in range(len(targets))]


def _short(failure: DenizenError | None) -> str:
    return failure.what if failure is not None else ""


class _Update:
    """One update: the current entries, and the outcome of each target by its number."""

    def __init__(
        self,
        directory: bytes,
        progress: Progress,
        *,
        force: bool,
        planned: Callable[[Sequence[UpdatePlan]], None] | None,
        clock: Callable[[], float],
    ) -> None:
        self.directory = directory
        self.progress = progress
        self.entries = {entry.key: entry for entry in _in_force(directory, force=force)}
        self.outcomes: dict[int, UpdateOutcome] = {}
        self._force = force
        self._planned = planned
        self._clock = clock

    def begin(self, targets: Sequence[UpdateTarget]) -> None:
        """Try every target once."""
        plans: list[tuple[int, UpdatePlan]] = []
        for number, target in enumerate(targets):
            try:
                plan = self._plan(target)
            except DenizenError as error:
                self._failed(number, target, error)
            else:
                plans.append((number, after(plan, [earlier for _, earlier in plans])))
        if self._planned is not None:
            self._planned([plan for _, plan in plans])
        for number, plan in plans:
            self._carry_out(number, plan)

    def retry(self, number: int, target: UpdateTarget) -> None:
        """Try a target with each state that its suite has now, until one is complete."""
        called = target.held_in(self.entries.values())
        try:
            newest, *older = self._plans_anew(target, target.source.anew(target.suite, target.memory(called)))
        except DenizenError as error:
            self._failed(number, target, error)
            return
        self._carry_out(number, newest)
        failed = self.outcomes[number]
        # A state that is already indexed does not replace the newer one.
        for plan in [plan for plan in older if plan.scope is not None]:
            if self.outcomes[number].failure is None:
                break
            self._carry_out(number, plan)
        outcome = self.outcomes[number]
        if outcome.failure is not None:
            self.outcomes[number] = failed
        elif outcome is not failed:
            self.outcomes[number] = replace(outcome, notes=(*outcome.notes, _not_the_newest(failed)))

    def _plan(self, target: UpdateTarget) -> UpdatePlan:
        called = target.held_in(self.entries.values())
        snapshot = target.source.snapshot(target.suite, target.memory(called))
        held = self._held(target, snapshot)
        if held is not None and held is not called:
            # The suite may be indexed under another name: its state must not be older than that either.
            snapshot = target.source.snapshot(target.suite, target.memory(held))
        return self._plan_of(target, snapshot)

    def _plans_anew(self, target: UpdateTarget, snapshots: Sequence[Snapshot]) -> list[UpdatePlan]:
        pairs = [(snapshot, self._held(target, snapshot)) for snapshot in snapshots]
        plans = [
            self._plan_of(target, snapshot)
            for snapshot, held in pairs
            if held is None or not target.is_believed(held) or snapshot.date >= held.date
        ]
        for snapshot, held in pairs:
            if held is not None and not plans:
                raise Downgrade(snapshot.suite, shown_date(snapshot.date), shown_date(held.date))
        return plans

    def _plan_of(self, target: UpdateTarget, snapshot: Snapshot) -> UpdatePlan:
        held = self._held(target, snapshot)
        scope = max(target.scope, Scope.PATHS if held is not None and held.paths else Scope.LIBRARIES)
        if held is not None and held.identity == snapshot.identity and not self._force:
            complete = bool(held.paths) or scope is Scope.LIBRARIES
            if complete and _is_whole(self.directory, held):
                return UpdatePlan(target, snapshot, held, None, 0)
        size = target.source.size(snapshot, target.architecture, scope)
        return UpdatePlan(target, snapshot, held, scope, size)

    def _held(self, target: UpdateTarget, snapshot: Snapshot) -> IndexEntry | None:
        return self.entries.get((snapshot.source, snapshot.suite, target.architecture))

    def _carry_out(self, number: int, plan: UpdatePlan) -> None:
        held = self.entries.get(plan.key)
        outcome = _try(plan, held, self.directory, self.progress, int(self._clock()))
        self.outcomes[number] = outcome
        if outcome.failure is None and outcome.entry is not None:
            self.entries = with_entry(self.entries, outcome.entry, plan.target)
            write_manifest(self.directory, list(self.entries.values()))

    def _failed(self, number: int, target: UpdateTarget, error: DenizenError) -> None:
        self.outcomes[number] = UpdateOutcome(target, target.held_in(self.entries.values()), failure=error)


def _not_the_newest(failed: UpdateOutcome) -> str:
    return f"{failed.target.suite}: an older state than the newest was taken; {_short(failed.failure)}"


def _in_force(directory: bytes, *, force: bool) -> tuple[IndexEntry, ...]:
    try:
        return read_manifest(directory)
    except DamagedManifest:
        # With force everything is made again: this repairs a damaged manifest.
        if force:
            return ()
        raise


def _is_whole(directory: bytes, entry: IndexEntry) -> bool:
    """Tell whether an index's files are there, with all that this denizen keeps in them."""
    places = [os.path.join(directory, name.encode()) for name in (entry.libraries, entry.paths) if name]
    if not all(map(os.path.exists, places)):
        return False
    try:
        index = LibraryIndex(places[0])
    except (OSError, DenizenError):
        return False
    has_recommended = index.has_recommended
    index.close()
    return has_recommended


def _try(
    plan: UpdatePlan, held: IndexEntry | None, directory: bytes, progress: Progress, now: int
) -> UpdateOutcome:
    try:
        return _carry_out(plan, held, directory, progress, now)
    except DenizenError as error:
        return UpdateOutcome(plan.target, held, failure=error, notes=plan.snapshot.notes)


def _carry_out(
    plan: UpdatePlan, held: IndexEntry | None, directory: bytes, progress: Progress, now: int
) -> UpdateOutcome:
    target, snapshot = plan.target, plan.snapshot
    asked, rank = names_and_rank(target, held)
    if plan.scope is None and held is not None and held.identity == snapshot.identity:
        entry = replace(held, checked=now, asked=asked, rank=rank, provenance=target.source.provenance)
        return UpdateOutcome(target, entry, notes=snapshot.notes)
    scope = plan.scope or target.scope
    target.source.prepare(snapshot, target.architecture, scope)
    progress.note(f"building the index of {snapshot.suite} for {target.architecture}")
    before = _versions(directory, held)
    libraries, paths = build_files(target.source, snapshot, target.architecture, scope, directory)
    entry = IndexEntry(
        source=snapshot.source,
        asked=asked,
        suite=snapshot.suite,
        architecture=target.architecture,
        rank=rank,
        identity=snapshot.identity,
        date=snapshot.date,
        checked=now,
        libraries=libraries,
        paths=paths,
        provenance=target.source.provenance,
    )
    added, removed, altered = _difference(before, _versions(directory, entry)) if before else (0, 0, 0)
    return UpdateOutcome(target, entry, True, added, removed, altered, notes=snapshot.notes)


def _versions(directory: bytes, entry: IndexEntry | None) -> dict[bytes, bytes]:
    if entry is None:
        return {}
    try:
        index = LibraryIndex(os.path.join(directory, entry.libraries.encode()))
    except (OSError, DenizenError):
        # The old index is damaged or missing, and is being replaced: there is nothing to compare with.
        return {}
    versions = index.versions()
    index.close()
    return versions


def _difference(before: dict[bytes, bytes], after: dict[bytes, bytes]) -> tuple[int, int, int]:
    common = before.keys() & after.keys()
    return (
        len(after) - len(common),
        len(before) - len(common),
        sum(1 for name in common if before[name] != after[name]),
    )


@contextlib.contextmanager
def _locked(directory: bytes, progress: Progress) -> Iterator[None]:
    descriptor = os.open(os.path.join(directory, _LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.note("another update is running; waiting for it")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _remove_strangers(directory: bytes, entries: Sequence[IndexEntry]) -> None:
    """Delete index files that no entry names: of former snapshots and of interrupted updates."""
    known = {name.encode() for entry in entries for name in (entry.libraries, entry.paths)}
    for name in os.listdir(directory):
        if name not in known and name.endswith(_SUFFIXES):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(directory, name))
