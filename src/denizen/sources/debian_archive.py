"""DebianArchive, the source over a Debian archive or any archive with the same layout.

Trust extends from a keyring to the Release of a suite (`openpgp`), from there to the hash of every index,
and from a Packages index to the hash of every .deb. Every file is verified by its hash before it is parsed;
the Release itself by its signature. Which state of a suite there is, and which mirrors have it, says
`offered_snapshots`; here is what is fetched of it.
Layout: https://wiki.debian.org/DebianRepository/Format.
"""

from __future__ import annotations

import contextlib
import os
import time

from denizen.disk import make_directories, write_atomically
from denizen.errors import display
from denizen.formats.contents import groups, lines_holding
from denizen.formats.inflate import CHUNK, SUFFIXES, BadStream, decompressed
from denizen.formats.packages import packages_in
from denizen.formats.percent import percent_encoded
from denizen.sources.base import Scope
from denizen.sources.errors import DownloadFailed, HashMismatch, Incomplete, NoSuchSuite
from denizen.sources.fetcher import FileRequest
from denizen.sources.offered_snapshots import OfferedSnapshots
from denizen.sources.releases import RELEASE, Releases, shown_date
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from denizen.formats.contents import Group
    from denizen.formats.packages import Package
    from denizen.formats.release import Release
    from denizen.sources.base import Snapshot, SnapshotIdentity
    from denizen.sources.fetcher import Fetcher
    from denizen.sources.openpgp import Verifier
    from denizen.sources.releases import Archive

_ALL = "all"
# Of a path in an address, besides what is unreserved.
_SAFE = b"/+~:"


class ArchiveIndex(Value):
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
        releases = Releases(archive, fetcher, verifier, self._lists, clock)
        self._offered = OfferedSnapshots(archive, fetcher, releases)

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
        return self._offered.snapshot(suite, held)

    def anew(self, suite: str, held: SnapshotIdentity | None) -> Sequence[Snapshot]:
        return self._offered.anew(suite, held)

    def size(self, snapshot: Snapshot, architecture: str, scope: Scope) -> int:
        return sum(want.size for want in self._wanted(snapshot, architecture, scope) if not _is_there(want))

    def prepare(self, snapshot: Snapshot, architecture: str, scope: Scope) -> None:
        wanted = self._wanted(snapshot, architecture, scope)
        make_directories(self._lists)
        try:
            doubted = self._offered.is_doubted(snapshot.asked)
            self._fetcher.files(wanted, self._offered.mirrors(), anew=doubted)
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
        self._fetcher.files(wanted, self._offered.mirrors())
        return [want.destination for want in wanted]

    def addresses(self, package: Package) -> tuple[str, ...]:
        path = percent_encoded(package.filename, safe=_SAFE)
        return tuple([f"{_with_authority(mirror)}/{path}" for mirror in self._offered.mirrors()])

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

    def _wanted(self, snapshot: Snapshot, architecture: str, scope: Scope) -> list[FileRequest]:
        names, release = self._offered.names_of(snapshot), self._offered.release_of(snapshot)
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
        release = self._offered.release_of(snapshot)
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
        release = self._offered.release_of(snapshot)
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
        try:
            yield from decompressed(_chunks(self._place(file)), file.suffix, file.whole)
        except BadStream as fault:
            raise BadStream(fault.kind, fault.problem, f"{file.path} of source {self.name}") from fault

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
