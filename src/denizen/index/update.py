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

from denizen.disk import sync_directory
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
    from collections.abc import Callable, Iterator, Sequence

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

    @property
    def key(self) -> tuple[str, str, str]:
        """What there is one index of, as in `Entry`."""
        return self.source.name, self.suite, self.architecture


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
        size: bytes to fetch.
        scope: what the new index will know; None when the one in force is already of this snapshot.
    """

    target: Target
    snapshot: Snapshot
    held: Entry | None
    scope: Scope | None
    size: int


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
        os.makedirs(directory, exist_ok=True)
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
    plans: list[Plan] = []
    outcomes: dict[tuple[str, str, str], Outcome] = {}
    for target in targets:
        held = entries.get(target.key)
        try:
            plans.append(_plan(target, held, directory, force=force))
        except DenizenError as error:
            outcomes[target.key] = Outcome(target, held, failure=error)
    if planned is not None:
        planned(plans)
    for plan in plans:
        key = plan.target.key
        try:
            outcome = _carry_out(plan, directory, progress, int(clock()))
        except DenizenError as error:
            outcome = Outcome(plan.target, plan.held, failure=error, notes=plan.snapshot.notes)
        outcomes[key] = outcome
        if outcome.entry is not None:
            entries[key] = outcome.entry
            write_manifest(directory, list(entries.values()))
    _remove_strangers(directory, list(entries.values()))
    return [outcomes[target.key] for target in targets]


def _in_force(directory: bytes, *, force: bool) -> tuple[Entry, ...]:
    try:
        return read_manifest(directory)
    except DamagedManifest:
        # Forced, everything is made anew anyway: this is how a damaged manifest is mended.
        if force:
            return ()
        raise


def _plan(target: Target, held: Entry | None, directory: bytes, *, force: bool) -> Plan:
    known = Held(held.identity, held.date) if held is not None else None
    snapshot = target.source.snapshot(target.suite, known)
    scope = max(target.scope, Scope.PATHS if held is not None and held.paths else Scope.LIBRARIES)
    if held is not None and held.identity == snapshot.identity and not force:
        complete = bool(held.paths) or scope is Scope.LIBRARIES
        if complete and _is_there(directory, held):
            return Plan(target, snapshot, held, None, 0)
    return Plan(target, snapshot, held, scope, target.source.size(snapshot, target.architecture, scope))


def _is_there(directory: bytes, entry: Entry) -> bool:
    names = [name for name in (entry.libraries, entry.paths) if name]
    return all(os.path.exists(os.path.join(directory, name.encode())) for name in names)


def _carry_out(plan: Plan, directory: bytes, progress: Progress, now: int) -> Outcome:
    target, snapshot, held = plan.target, plan.snapshot, plan.held
    if plan.scope is None:
        assert held is not None
        return Outcome(target, replace(held, checked=now, rank=target.rank), notes=snapshot.notes)
    target.source.prepare(snapshot, target.architecture, plan.scope)
    progress.note(f"building the index of {snapshot.suite} for {target.architecture}")
    stem = f"{snapshot.source}-{snapshot.suite}-{target.architecture}-{snapshot.identity[:12]}"
    libraries, paths = f"{stem}.libraries", f"{stem}.paths" if plan.scope is Scope.PATHS else ""
    before = _versions(directory, held)
    _build(os.path.join(directory, libraries.encode()), lambda w: _write_libraries(w, target, snapshot))
    if paths:
        _build(
            os.path.join(directory, paths.encode()),
            lambda w: write_paths(w, snapshot, target.source.paths(snapshot, target.architecture)),
        )
    entry = Entry(
        source=snapshot.source,
        asked=target.suite,
        suite=snapshot.suite,
        architecture=target.architecture,
        rank=target.rank,
        identity=snapshot.identity,
        date=snapshot.date,
        checked=now,
        libraries=libraries,
        paths=paths,
    )
    added, removed, altered = _difference(before, _versions(directory, entry)) if before else (0, 0, 0)
    return Outcome(target, entry, True, added, removed, altered, notes=snapshot.notes)


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
        with open(temporary, "wb") as stream:
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
