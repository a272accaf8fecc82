"""Bringing indexes up to date: what is new is fetched and verified, built beside the old, then put in force.

At every moment before the manifest is replaced the previous indexes are complete and in force; whatever
fails or is interrupted leaves only files that the next update removes. One update runs at a time; a
second waits for the first and then usually finds nothing to do.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import time

from denizen.disk import make_directories, sync_directory, written_by_owner
from denizen.errors import DenizenError
from denizen.formats.debversion import version_key
from denizen.index.entry import DirectoryKind, is_library_name, kind_of
from denizen.index.file import Writer
from denizen.index.libraries import Libraries, write_libraries
from denizen.index.manifest import DamagedManifest, Entry, read_manifest, write_manifest
from denizen.index.paths import write_paths
from denizen.index.synthetic import Found, ldconfig_links, with_alternatives
from denizen.sources.base import Held, NoRoom, Scope
from denizen.value import replace, value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from denizen.formats.packages import Package
    from denizen.sources.base import Progress, Snapshot, Source

_LOCK = b"lock"
_SUFFIXES = (b".libraries", b".paths", b".new")


@value
class Target:
    """One index to bring up to date.

    Attributes:
        rank: its place in the order of preference; the base suite is 0.
        scope: what it must know at least; what it knows already is kept up to date too.
    """

    source: Source
    suite: str
    architecture: str
    rank: int
    scope: Scope

    def held_in(self, entries: Iterable[Entry]) -> Entry | None:
        """The index there is of it."""
        return next((entry for entry in entries if self._is_of(entry)), None)

    def _is_of(self, entry: Entry) -> bool:
        place = (entry.source, entry.architecture)
        return place == (self.source.name, self.architecture) and entry.is_called(self.suite)


@value
class Outcome:
    """What became of one target.

    Attributes:
        entry: the index now in force for it, None if there is none.
        changed: it is a new one.
        added, removed, altered: packages against the index before, when there was one.
        failure: why there is no newer one.
        notes: what the source wants known.
    """

    target: Target
    entry: Entry | None
    changed: bool = False
    added: int = 0
    removed: int = 0
    altered: int = 0
    failure: DenizenError | None = None
    notes: tuple[str, ...] = ()


@value
class Plan:
    """What an update will do for one target.

    Attributes:
        held: the index in force for the suite the target turned out to be.
        scope: what the new index will know; None when the one in force, or the one that an earlier plan
            makes, is already of this snapshot.
        size: bytes to fetch.
    """

    target: Target
    snapshot: Snapshot
    held: Entry | None
    scope: Scope | None
    size: int

    @property
    def key(self) -> tuple[str, str, str]:
        """What there is one index of, as in `Entry`: "stable" and "trixie" are one."""
        return self.snapshot.source, self.snapshot.suite, self.target.architecture


def update(
    directory: bytes,
    targets: Sequence[Target],
    progress: Progress,
    *,
    force: bool = False,
    planned: Callable[[Sequence[Plan]], None] | None = None,
    clock: Callable[[], float] = time.time,
) -> list[Outcome]:
    """Bring the targets' indexes in `directory` up to date.

    A target that fails leaves its index as it was and does not keep the others from being updated.

    Args:
        directory: where the indexes are; made if missing.
        targets: what to bring up to date, the preferred suites first.
        progress: told of transfers and of waiting.
        force: build anew also what has not changed.
        planned: told what will be fetched, before it is.
        clock: the time.

    Raises:
        NoRoom: the directory cannot be written.
    """
    try:
        make_directories(directory)
        with _locked(directory, progress):
            return _update(directory, targets, progress, force=force, planned=planned, clock=clock)
    except OSError as error:
        raise NoRoom(directory, error.strerror or str(error)) from error


def _update(
    directory: bytes,
    targets: Sequence[Target],
    progress: Progress,
    *,
    force: bool,
    planned: Callable[[Sequence[Plan]], None] | None,
    clock: Callable[[], float],
) -> list[Outcome]:
    entries = {entry.key: entry for entry in _in_force(directory, force=force)}
    plans: list[tuple[int, Plan]] = []
    outcomes: dict[int, Outcome] = {}
    for number, target in enumerate(targets):
        try:
            plan = _plan(target, entries, directory, force=force)
        except DenizenError as error:
            outcomes[number] = Outcome(target, target.held_in(entries.values()), failure=error)
        else:
            plans.append((number, _after(plan, [earlier for _, earlier in plans])))
    if planned is not None:
        planned([plan for _, plan in plans])
    for number, plan in plans:
        outcomes[number] = outcome = _try(plan, entries.get(plan.key), directory, progress, int(clock()))
        if outcome.failure is None and outcome.entry is not None:
            entries = _with(entries, outcome.entry, plan.target)
            write_manifest(directory, list(entries.values()))
    _remove_strangers(directory, list(entries.values()))
    return [outcomes[number] for number in range(len(targets))]


def _in_force(directory: bytes, *, force: bool) -> tuple[Entry, ...]:
    try:
        return read_manifest(directory)
    except DamagedManifest:
        # Forced, everything is made anew anyway: this is how a damaged manifest is mended.
        if force:
            return ()
        raise


def _plan(
    target: Target, entries: Mapping[tuple[str, str, str], Entry], directory: bytes, *, force: bool
) -> Plan:
    called = target.held_in(entries.values())
    snapshot = target.source.snapshot(target.suite, _memory(called))
    held = entries.get((snapshot.source, snapshot.suite, target.architecture))
    if held is not None and held is not called:
        # Another name of a suite that is held under its own: it may not be an older state of it either.
        snapshot = target.source.snapshot(target.suite, _memory(held))
    scope = max(target.scope, Scope.PATHS if held is not None and held.paths else Scope.LIBRARIES)
    if held is not None and held.identity == snapshot.identity and not force:
        complete = bool(held.paths) or scope is Scope.LIBRARIES
        if complete and _is_there(directory, held):
            return Plan(target, snapshot, held, None, 0)
    size = target.source.size(snapshot, target.architecture, scope)
    return Plan(target, snapshot, held, scope, size)


def _memory(held: Entry | None) -> Held | None:
    return Held(held.identity, held.date) if held is not None else None


def _after(plan: Plan, earlier: Sequence[Plan]) -> Plan:
    """The same where others are carried out first: nothing is built twice."""
    made = [
        one.scope
        for one in earlier
        if one.key == plan.key and one.snapshot.identity == plan.snapshot.identity
    ]
    if plan.scope is not None and any(scope is not None and scope >= plan.scope for scope in made):
        return replace(plan, scope=None, size=0)
    return plan


def _with(
    entries: Mapping[tuple[str, str, str], Entry], new: Entry, target: Target
) -> dict[tuple[str, str, str], Entry]:
    """The entries with a new one; what its target's name meant before keeps its other names, if any."""
    kept = {}
    for key, entry in entries.items():
        names = tuple([name for name in entry.asked if name != target.suite])
        same_place = (entry.source, entry.architecture) == (new.source, new.architecture)
        if key == new.key or not same_place or names == entry.asked:
            kept[key] = entry
        elif names:
            kept[key] = replace(entry, asked=names)
    return kept | {new.key: new}


def _is_there(directory: bytes, entry: Entry) -> bool:
    names = [name for name in (entry.libraries, entry.paths) if name]
    return all(os.path.exists(os.path.join(directory, name.encode())) for name in names)


def _try(plan: Plan, held: Entry | None, directory: bytes, progress: Progress, now: int) -> Outcome:
    try:
        return _carry_out(plan, held, directory, progress, now)
    except DenizenError as error:
        return Outcome(plan.target, held, failure=error, notes=plan.snapshot.notes)


def _carry_out(plan: Plan, held: Entry | None, directory: bytes, progress: Progress, now: int) -> Outcome:
    target, snapshot = plan.target, plan.snapshot
    asked, rank = _names_and_rank(target, held)
    if plan.scope is None and held is not None and held.identity == snapshot.identity:
        return Outcome(target, replace(held, checked=now, asked=asked, rank=rank), notes=snapshot.notes)
    scope = plan.scope or target.scope
    target.source.prepare(snapshot, target.architecture, scope)
    progress.note(f"building the index of {snapshot.suite} for {target.architecture}")
    before = _versions(directory, held)
    libraries, paths = _files(plan, scope, directory)
    entry = Entry(
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
    )
    added, removed, altered = _difference(before, _versions(directory, entry)) if before else (0, 0, 0)
    return Outcome(target, entry, True, added, removed, altered, notes=snapshot.notes)


def _names_and_rank(target: Target, held: Entry | None) -> tuple[tuple[str, ...], int]:
    if held is None or held.asked in ((), (target.suite,)):
        return (target.suite,), target.rank
    return tuple(dict.fromkeys([*held.asked, target.suite])), min(held.rank, target.rank)


def _files(plan: Plan, scope: Scope, directory: bytes) -> tuple[str, str]:
    """The names of the index files, built."""
    target, snapshot = plan.target, plan.snapshot
    stem = f"{snapshot.source}-{snapshot.suite}-{target.architecture}-{snapshot.identity[:12]}"
    libraries, paths = f"{stem}.libraries", f"{stem}.paths" if scope is Scope.PATHS else ""
    _build(os.path.join(directory, libraries.encode()), lambda w: _write_libraries(w, target, snapshot))
    if paths:
        _build(
            os.path.join(directory, paths.encode()),
            lambda w: write_paths(w, snapshot, target.source.paths(snapshot, target.architecture)),
        )
    return libraries, paths


def _versions(directory: bytes, entry: Entry | None) -> dict[bytes, bytes]:
    if entry is None:
        return {}
    try:
        index = Libraries(os.path.join(directory, entry.libraries.encode()))
    except (OSError, DenizenError):
        # A damaged or missing predecessor is what this update mends; there is just nothing to compare.
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


def _build(path: bytes, fill: Callable[[Writer], object]) -> None:
    """Write an index file complete or not at all."""
    temporary = path + b".new"
    try:
        with open(temporary, "wb", opener=written_by_owner) as stream:
            writer = Writer(stream)
            fill(writer)
            writer.finish()
            stream.flush()
            os.fsync(stream.fileno())
        os.rename(temporary, path)
    except OSError as error:
        raise NoRoom(path, error.strerror or str(error)) from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
    sync_directory(os.path.dirname(path))


def _write_libraries(writer: Writer, target: Target, snapshot: Snapshot) -> None:
    packages = sort_packages(target.source.packages(snapshot, target.architecture))
    provides = {package.name: package.provides for package in packages if package.provides}
    shipped = list(
        shipped_libraries(target.source.libraries(snapshot, target.architecture), target.architecture)
    )
    found = list(with_alternatives(shipped, lambda name: provides.get(name, b""), target.architecture))
    write_libraries(writer, snapshot, target.architecture, packages, [*found, *ldconfig_links(found)])


def sort_packages(packages: Iterator[Package]) -> list[Package]:
    """By name, then version: the last of a name is its newest. The same package twice is one."""
    ordered = sorted(packages, key=lambda package: package.name)
    repeated = {a.name for a, b in itertools.pairwise(ordered) if a.name == b.name}
    if not repeated:
        return ordered
    unique = {(package.name, package.version, package.architecture): package for package in ordered}
    return sorted(
        unique.values(),
        key=lambda package: (package.name, version_key(package.version) if package.name in repeated else ()),
    )


def shipped_libraries(listed: Iterator[tuple[bytes, bytes]], architecture: str) -> Iterator[Found]:
    """What Contents lists that may be asked for as a soname, one entry for each owner."""
    kinds: dict[bytes, DirectoryKind] = {}
    for path, location in listed:
        directory, _, name = path.rpartition(b"/")
        if not is_library_name(name):
            continue
        kind = kinds.get(directory)
        if kind is None:
            kind = kinds[directory] = kind_of(directory, architecture)
        for owner in location.split(b","):
            yield Found(name, kind, owner.rpartition(b"/")[2], path)


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


def _remove_strangers(directory: bytes, entries: Sequence[Entry]) -> None:
    """Delete index files no entry names: of former snapshots, and of updates that were interrupted."""
    known = {name.encode() for entry in entries for name in (entry.libraries, entry.paths)}
    for name in os.listdir(directory):
        if name not in known and name.endswith(_SUFFIXES):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(directory, name))
