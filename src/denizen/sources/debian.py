"""DebianArchive, the source over a Debian archive or any archive with the same layout.

Trust extends from a keyring to the Release of a suite (`openpgp`), from there to the hash of every index,
and from a Packages index to the hash of every .deb. Every file is verified by its hash before it is parsed;
the Release itself by its signature.
Layout: https://wiki.debian.org/DebianRepository/Format.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import time

from denizen.disk import make_directories, write_atomically
from denizen.errors import display
from denizen.formats.contents import groups, lines_holding
from denizen.formats.inflate import CHUNK, SUFFIXES, decompressed
from denizen.formats.packages import packages_in
from denizen.formats.percent import percent_encoded
from denizen.formats.release import BadRelease
from denizen.sources.base import Scope, Snapshot
from denizen.sources.errors import (
    BadSignature,
    Downgrade,
    DownloadFailed,
    Expired,
    HashMismatch,
    Incomplete,
    NoSuchSuite,
)
from denizen.sources.fetcher import FileRequest
from denizen.sources.releases import RELEASE, FutureRelease, Releases, WrongOrigin, shown_date
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from denizen.errors import DenizenError
    from denizen.formats.contents import Group
    from denizen.formats.packages import Package
    from denizen.formats.release import Release
    from denizen.sources.base import SnapshotIdentity
    from denizen.sources.fetcher import Fetcher
    from denizen.sources.openpgp import Verifier
    from denizen.sources.releases import Archive, VerifiedRelease

_ALL = "all"
# Of a path in an address, besides what is unreserved.
_SAFE = b"/+~:"
# Errors of a mirror's Release after which the next mirror is asked.
_PASSED_OVER = (
    DownloadFailed, NoSuchSuite, BadSignature, BadRelease, WrongOrigin, FutureRelease, Expired, Downgrade,
)  # fmt: skip


@value
class ArchiveIndex:
    """An index file of a Release, in the compression that denizen prefers.

    Attributes:
        path: its name in the Release, below the suite's directory.
        suffix: "", ".gz" or ".xz".
        size, sha256: of the compressed file.
        whole: the number of bytes it decompresses to at most.
    """

    path: str
    suffix: str
    size: int
    sha256: str
    whole: int


class DebianArchive:
    """A source over the mirrors of one archive."""

    def __init__(
        self,
        archive: Archive,
        fetcher: Fetcher,
        verifier: Verifier,
        directory: bytes,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._archive = archive
        self._fetcher = fetcher
        self._lists = os.path.join(directory, archive.name.encode())
        self._asked = Releases(archive, fetcher, verifier, self._lists, clock)
        # By identity: the names below dists/ that gave the Release, and the Release.
        self._releases: dict[str, tuple[tuple[str, ...], Release]] = {}
        self._states: list[Snapshot] = []
        self._doubted: set[str] = set()  # suites of which a state was incomplete
        # By address: why it is of another archive than the configured one.
        self._strangers: dict[str, DenizenError] = {}
        self._useful: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self._archive.name

    @property
    def provenance(self) -> str:
        return self._archive.provenance

    @property
    def suites(self) -> tuple[str, ...]:
        return self._archive.suites

    def snapshot(self, suite: str, held: SnapshotIdentity | None) -> Snapshot:
        """Return the first mirror's Release that passes all checks."""
        failures: list[DenizenError] = []
        for snapshot in self._offered(suite, held, failures, anew=False):
            return snapshot
        raise self._failure(suite, failures)

    def anew(self, suite: str, held: SnapshotIdentity | None) -> Sequence[Snapshot]:
        self._doubted.add(suite)
        failures: list[DenizenError] = []
        for _ in self._offered(suite, held, failures, anew=True):
            pass  # each is added to self._states
        self._ask_by_other_names(suite, held)
        believed = [one for one in self._states if one.asked == suite]
        if not believed:
            raise self._failure(suite, failures)
        # Only after that check: an earlier state does not help where every state offered now is refused.
        kept = [self._asked.earlier(mirror, suite, held) for mirror in self._addresses_to_ask()]
        believed += [self._state(suite, one) for one in kept if one is not None]
        states = sorted({one.identity: one for one in believed}.values(), key=lambda one: -one.date)
        if held is not None and states[0].date < held.date:
            raise Downgrade(suite, shown_date(states[0].date), shown_date(held.date))
        return [one for one in states if held is None or one.date >= held.date]

    def _failure(self, suite: str, failures: Sequence[DenizenError]) -> DenizenError:
        """Return the first mirror's failure; that of an earlier attempt where it was not asked again."""
        nobody = NoSuchSuite(self.name, suite, "the source has no address")
        return next(iter([*failures, *self._strangers.values()]), nobody)

    def _offered(
        self, suite: str, held: SnapshotIdentity | None, failures: list[DenizenError], *, anew: bool
    ) -> Iterator[Snapshot]:
        """Yield the state that each mirror offers; errors of mirrors are added to `failures`."""
        for mirror in self._addresses_to_ask():
            try:
                yield self._snapshot_of(mirror, suite, held, anew=anew)
            except _PASSED_OVER as error:
                failures.append(error)
                self._judge(mirror, error)

    def _ask_by_other_names(self, suite: str, held: SnapshotIdentity | None) -> None:
        """Add the states that the mirrors have under a suite's other name: dists/stable for dists/trixie.

        As a rule a cache stands before a mirror, and may have kept a 404 or a former file under one of the
        names only. Where the two names are of different releases, nothing is added.
        """
        pairs = {_names_of(release) for given, release in self._releases.values() if suite in given}
        others = [(pair, other) for pair in pairs for other in sorted({*pair} - {suite})]
        for (pair, other), mirror in itertools.product(others, [*self._addresses_to_ask()]):
            with contextlib.suppress(*_PASSED_OVER):
                believed = self._asked.of(mirror, other, held, anew=True)
                if _names_of(believed.release) == pair:
                    self._state(suite, believed, given_by=other)

    def _addresses_to_ask(self) -> Iterator[str]:
        """Yield the configured addresses; the fallback too where all of those are of some other archive."""
        yield from [mirror for mirror in self._fetcher.mirrors if mirror not in self._strangers]
        if self._strangers.keys() >= {*self._fetcher.mirrors}:
            yield from self._archive.fallback

    def _judge(self, mirror: str, error: DenizenError) -> None:
        if self._archive.origin and isinstance(error, (BadSignature, WrongOrigin)):
            if mirror not in self._strangers:
                self._fetcher.note(f"{error}")
            self._strangers[mirror] = error

    def size(self, snapshot: Snapshot, architecture: str, scope: Scope) -> int:
        return sum(want.size for want in self._wanted(snapshot, architecture, scope) if not _is_there(want))

    def prepare(self, snapshot: Snapshot, architecture: str, scope: Scope) -> None:
        wanted = self._wanted(snapshot, architecture, scope)
        make_directories(self._lists)
        try:
            self._fetcher.files(wanted, self._mirrors(), anew=snapshot.asked in self._doubted)
        except (HashMismatch, DownloadFailed) as error:
            if isinstance(error, DownloadFailed) and not error.refused:
                raise
            state = f"{snapshot.suite} of {shown_date(snapshot.date)}"
            raise Incomplete(state, error.name, error.tried) from error
        # Read by forget(): the names of the files that one index was made from.
        names = b"".join([os.path.basename(want.destination) + b"\n" for want in wanted])
        write_atomically(self._record(snapshot, architecture), names)

    def packages(self, snapshot: Snapshot, architecture: str) -> Iterator[Package]:
        for file in self._packages_files(snapshot, architecture):
            yield from packages_in(self._content(file))

    def libraries(self, snapshot: Snapshot, architecture: str) -> Iterator[tuple[bytes, bytes]]:
        for file in self._contents_files(snapshot, (architecture,)):
            yield from lines_holding(self._content(file), b".so")

    def paths(self, snapshot: Snapshot, architecture: str) -> Iterator[Group]:
        for file in self._contents_files(snapshot, (architecture, _ALL)):
            yield from groups(self._content(file))

    def fetch(self, packages: Sequence[Package], directory: bytes) -> list[bytes]:
        wanted = [_wanted_package(package, directory) for package in packages]
        make_directories(directory)
        self._fetcher.files(wanted, self._mirrors())
        return [want.destination for want in wanted]

    def addresses(self, package: Package) -> tuple[str, ...]:
        path = percent_encoded(package.filename, safe=_SAFE)
        return tuple([f"{_with_authority(mirror)}/{path}" for mirror in self._mirrors()])

    def forget(self, keep: Iterable[tuple[Snapshot, str]]) -> None:
        kept = {self._record(snapshot, architecture) for snapshot, architecture in keep}
        needed = {os.path.basename(record) for record in kept} | {b"partial"}
        for record in kept:
            with contextlib.suppress(FileNotFoundError), open(record, "rb") as stream:
                needed.update(stream.read().split())
        with contextlib.suppress(FileNotFoundError):
            for name in os.listdir(self._lists):
                # Releases are kept: they are small, and there is one per mirror and name of a suite.
                if name not in needed and not name.endswith(RELEASE):
                    os.unlink(os.path.join(self._lists, name))

    def _snapshot_of(self, mirror: str, suite: str, held: SnapshotIdentity | None, *, anew: bool) -> Snapshot:
        return self._state(suite, self._asked.of(mirror, suite, held, anew=anew))

    def _state(self, suite: str, believed: VerifiedRelease, *, given_by: str = "") -> Snapshot:
        """Return the state of a suite; its Release came by that name, or by `given_by`."""
        release = believed.release
        given, _ = self._releases.get(believed.identity, ((), release))
        self._releases[believed.identity] = (tuple(dict.fromkeys((*given, given_by or suite))), release)
        self._useful = ()
        snapshot = Snapshot(
            self.name, suite, release.codename, believed.identity, release.date, believed.notes
        )
        if snapshot not in self._states:
            self._states.append(snapshot)
        return snapshot

    def _mirrors(self) -> tuple[str, ...]:
        """Return the addresses to fetch from: those known to be of this archive, else all.

        This only avoids useless requests: every fetched file is verified by its hash.
        """
        if not self._useful:
            every = (*self._fetcher.mirrors, *self._archive.fallback)
            known = [one for one in every if any(self._asked.has_kept(one, suite) for suite in self.suites)]
            self._useful = tuple(known) or self._fetcher.mirrors
        return self._useful

    def _wanted(self, snapshot: Snapshot, architecture: str, scope: Scope) -> list[FileRequest]:
        names, release = self._releases[snapshot.identity]
        architectures = (architecture, _ALL) if scope is Scope.PATHS else (architecture,)
        files = [
            *self._packages_files(snapshot, architecture),
            *self._contents_files(snapshot, architectures),
        ]
        return [
            FileRequest(
                name=f"{snapshot.suite}/{file.path}",
                paths=_addresses(names, file, by_hash=release.by_hash),
                destination=self._place(file),
                size=file.size,
                sha256=file.sha256,
            )
            for file in files
        ]

    def _packages_files(self, snapshot: Snapshot, architecture: str) -> list[ArchiveIndex]:
        _, release = self._releases[snapshot.identity]
        wanted = [architecture, _ALL] if release.all_is_separate else [architecture]
        found = [
            file
            for component in self._archive.components
            for name in wanted
            if (file := _choose(release, f"{component}/binary-{name}/Packages"))
        ]
        if not found:
            raise NoSuchSuite(self.name, snapshot.suite, f"it has no packages for {architecture}")
        return found

    def _contents_files(self, snapshot: Snapshot, architectures: Sequence[str]) -> list[ArchiveIndex]:
        _, release = self._releases[snapshot.identity]
        found = []
        for architecture in architectures:
            names = [f"{component}/Contents-{architecture}" for component in self._archive.components]
            # Before wheezy, and in some derived archives today, one file serves all components.
            per_component = [file for name in names if (file := _choose(release, name))]
            whole = _choose(release, f"Contents-{architecture}")
            found += per_component or ([whole] if whole else [])
        if not found:
            raise NoSuchSuite(
                self.name,
                snapshot.suite,
                f"it has no Contents for {architectures[0]}: nobody can say what is in it",
            )
        return found

    def _content(self, file: ArchiveIndex) -> Iterator[bytes]:
        return decompressed(_chunks(self._place(file)), file.suffix, file.whole)

    def _place(self, file: ArchiveIndex) -> bytes:
        return os.path.join(self._lists, file.sha256.encode() + file.suffix.encode())

    def _record(self, snapshot: Snapshot, architecture: str) -> bytes:
        return os.path.join(self._lists, f"{snapshot.identity}-{architecture}.files".encode())


def _choose(release: Release, name: str) -> ArchiveIndex | None:
    """Return the file of that name in the preferred compression, or None if the Release does not list it."""
    whole = release.files.get(name)
    for suffix in SUFFIXES:
        promise = release.files.get(name + suffix)
        if promise is not None:
            # Where the plain file's size is not listed, the limit is 20 times the compressed size (Contents
            # reaches 15).
            limit = whole.size if whole is not None else promise.size * 20
            return ArchiveIndex(name + suffix, suffix, promise.size, promise.sha256, limit)
    return None


def _names_of(release: Release) -> tuple[str, str]:
    return release.suite, release.codename


def _addresses(names: Sequence[str], file: ArchiveIndex, *, by_hash: bool) -> tuple[str, ...]:
    """Return the paths of a file under each name of its suite.

    The path by hash is the first: its content cannot change between two requests.
    """
    paths: list[str] = []
    for name in names:
        path = f"dists/{name}/{file.path}"
        parent = path.rpartition("/")[0]
        paths += (f"{parent}/by-hash/SHA256/{file.sha256}", path) if by_hash else (path,)
    return tuple(paths)


def _wanted_package(package: Package, directory: bytes) -> FileRequest:
    name = os.path.basename(package.filename)
    return FileRequest(
        name=display(name),
        paths=(percent_encoded(package.filename, safe=_SAFE),),
        destination=os.path.join(directory, package.sha256[:16] + b"-" + name),
        size=package.size,
        sha256=package.sha256.decode("ascii"),
    )


def _with_authority(mirror: str) -> str:
    """Return the address with `file:///` where it has `file:/`, as apt allows (sources.list(5))."""
    bare = mirror.startswith("file:/") and not mirror.startswith("file://")
    return f"file://{mirror.removeprefix('file:')}" if bare else mirror


def _is_there(want: FileRequest) -> bool:
    return os.path.exists(want.destination)


def _chunks(path: bytes) -> Iterator[bytes]:
    with open(path, "rb", buffering=0) as stream:
        while chunk := stream.read(CHUNK):
            yield chunk
