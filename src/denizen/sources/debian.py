"""The Debian archive as a source, and anything laid out like it.

Trust goes from a keyring to the Release of a suite (`openpgp`), from there to the hash of every index,
and from a Packages index to the hash of every .deb. Nothing is parsed before its hash is right, the
Release itself excepted, which is not parsed before its signature is good.
Layout: https://wiki.debian.org/DebianRepository/Format.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time

from denizen.disk import make_directories, write_atomically
from denizen.formats.contents import groups, lines_holding
from denizen.formats.inflate import CHUNK, SUFFIXES, decompressed
from denizen.formats.packages import packages_in
from denizen.formats.release import BadRelease, parse_release
from denizen.sources.base import (
    BadSignature,
    Downgrade,
    DownloadFailed,
    Expired,
    NoRoom,
    NoSuchSuite,
    Scope,
    Snapshot,
)
from denizen.sources.fetch import Small, Wanted
from denizen.sources.transport import Validators
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from denizen.errors import DenizenError
    from denizen.formats.contents import Group
    from denizen.formats.packages import Package
    from denizen.formats.release import Release
    from denizen.sources.base import Held
    from denizen.sources.fetch import Fetcher
    from denizen.sources.openpgp import Keyring, Verifier

# sid's Release is 190 KB; one that is 100 times that is no Release.
MAX_RELEASE = 32 << 20
_ALL = "all"
_IDENTITY_DIGITS = 32
_RELEASE = b".release"


@value
class Archive:
    """What is configured of one archive.

    Attributes:
        name: what the source is called.
        suites: asked for by default, the base first.
        keyrings: whose signatures count.
        check_valid_until: an expired Release is refused, else only noted.
    """

    name: str
    suites: tuple[str, ...]
    components: tuple[str, ...]
    keyrings: tuple[Keyring, ...]
    check_valid_until: bool = True


@value
class IndexFile:
    """An index of a Release in the compression denizen prefers.

    Attributes:
        path: its name in the Release, below the suite's directory.
        suffix: "", ".gz" or ".xz".
        size, sha256: of the file as it is transferred.
        whole: bytes it decompresses to.
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
        self._verifier = verifier
        self._lists = os.path.join(directory, archive.name.encode())
        self._clock = clock
        self._releases: dict[str, tuple[str, Release]] = {}

    @property
    def name(self) -> str:
        return self._archive.name

    @property
    def suites(self) -> tuple[str, ...]:
        return self._archive.suites

    def snapshot(self, suite: str, held: Held | None) -> Snapshot:
        """Ask each mirror until one has a Release that may be believed."""
        first: DenizenError | None = None
        for mirror in self._fetcher.mirrors:
            try:
                return self._snapshot_of(mirror, suite, held)
            except (DownloadFailed, BadSignature, BadRelease, Expired, Downgrade) as error:
                first = first or error
        raise first or NoSuchSuite(self.name, suite, "the source has no address")

    def size(self, snapshot: Snapshot, architecture: str, scope: Scope) -> int:
        return sum(want.size for want in self._wanted(snapshot, architecture, scope) if not _is_there(want))

    def prepare(self, snapshot: Snapshot, architecture: str, scope: Scope) -> None:
        wanted = self._wanted(snapshot, architecture, scope)
        make_directories(self._lists)
        self._fetcher.files(wanted)
        # What forget() goes by: the lists one index was made from.
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
        self._fetcher.files(wanted)
        return [want.destination for want in wanted]

    def addresses(self, package: Package) -> tuple[str, ...]:
        path = _quoted(package.filename)
        return tuple([f"{_with_authority(mirror)}/{path}" for mirror in self._fetcher.mirrors])

    def forget(self, keep: Iterable[tuple[Snapshot, str]]) -> None:
        kept = {self._record(snapshot, architecture) for snapshot, architecture in keep}
        needed = {os.path.basename(record) for record in kept} | {b"partial"}
        for record in kept:
            with contextlib.suppress(FileNotFoundError), open(record, "rb") as stream:
                needed.update(stream.read().split())
        with contextlib.suppress(FileNotFoundError):
            for name in os.listdir(self._lists):
                # A Release is small, and asked of every mirror and by every name of a suite.
                if name not in needed and not name.endswith(_RELEASE):
                    os.unlink(os.path.join(self._lists, name))

    def _snapshot_of(self, mirror: str, suite: str, held: Held | None) -> Snapshot:
        text = self._verified(mirror, suite)
        release = parse_release(text)
        if suite not in (release.suite, release.codename):
            # A good signature on another suite's Release: a mirror's mistake, or an attack.
            raise NoSuchSuite(
                self.name, suite, f"the mirror gave the Release of {release.codename} ({release.suite})"
            )
        identity = hashlib.sha256(text.strip()).hexdigest()[:_IDENTITY_DIGITS]
        notes = self._judge_dates(release, held)
        self._releases[identity] = (suite, release)
        return Snapshot(self.name, suite, release.codename, identity, release.date, notes)

    def _verified(self, mirror: str, suite: str) -> bytes:
        """The signed text of a suite's Release: InRelease, or Release with Release.gpg."""
        base = f"dists/{suite}"
        keyrings = self._archive.keyrings
        kept = self._kept(mirror, suite)
        try:
            inline = self._small(mirror, f"{base}/InRelease", kept.validators)
        except DownloadFailed as error:
            if not all(reason == "HTTP 404" for reason in error.tried.values()):
                raise
            text = self._small(mirror, f"{base}/Release").content
            signature = self._small(mirror, f"{base}/Release.gpg").content
            assert text is not None
            assert signature is not None  # nothing conditional was asked
            return self._verifier.detached(f"{base}/Release", text, signature, keyrings)
        if inline.content is None and kept.content is not None:
            try:
                return self._verifier.inline(f"{base}/InRelease", kept.content, keyrings)
            except BadSignature:
                # Damaged since it was kept.
                inline = self._small(mirror, f"{base}/InRelease")
        assert inline.content is not None  # "not modified" is answered to those who hold something
        verified = self._verifier.inline(f"{base}/InRelease", inline.content, keyrings)
        # Only now: what was mangled on its way must not be taken for unchanged the next time.
        self._keep(mirror, suite, inline)
        return verified

    def _small(self, mirror: str, path: str, held: Validators | None = None) -> Small:
        validators = held or Validators()
        return self._fetcher.small(path, mirror, [path], limit=MAX_RELEASE, validators=validators)

    def _kept(self, mirror: str, suite: str) -> Small:
        """The InRelease a mirror gave last, with what tells whether it has another now."""
        try:
            with open(self._place_of_release(mirror, suite), "rb") as stream:
                etag, modified, content = stream.read(MAX_RELEASE).split(b"\n", 2)
            return Small(content, Validators(etag.decode("latin-1"), modified.decode("latin-1")))
        except (OSError, ValueError):
            # None, or a damaged one: the request is just not conditional.
            return Small(None, Validators())

    def _keep(self, mirror: str, suite: str, release: Small) -> None:
        assert release.content is not None
        if release.validators == Validators():
            return
        head = f"{release.validators.etag}\n{release.validators.modified}\n".encode("latin-1", "replace")
        try:
            make_directories(self._lists)
            write_atomically(self._place_of_release(mirror, suite), head + release.content)
        except OSError as error:
            raise NoRoom(self._lists, error.strerror or str(error)) from error

    def _place_of_release(self, mirror: str, suite: str) -> bytes:
        digest = hashlib.sha256(f"{mirror}/{suite}".encode()).hexdigest()[:_IDENTITY_DIGITS]
        return os.path.join(self._lists, digest.encode() + _RELEASE)

    def _judge_dates(self, release: Release, held: Held | None) -> tuple[str, ...]:
        if held is not None and release.date < held.date:
            raise Downgrade(release.codename, _shown(release.date), _shown(held.date))
        if release.valid_until is None or self._clock() <= release.valid_until:
            return ()
        if self._archive.check_valid_until:
            raise Expired(release.codename, _shown(release.valid_until))
        until = _shown(release.valid_until)
        return (f"{release.codename}: past its Valid-Until ({until}), allowed by configuration",)

    def _wanted(self, snapshot: Snapshot, architecture: str, scope: Scope) -> list[Wanted]:
        suite, release = self._releases[snapshot.identity]
        architectures = (architecture, _ALL) if scope is Scope.PATHS else (architecture,)
        files = [
            *self._packages_files(snapshot, architecture),
            *self._contents_files(snapshot, architectures),
        ]
        return [
            Wanted(
                name=f"{snapshot.suite}/{file.path}",
                paths=_addresses(f"dists/{suite}/{file.path}", file.sha256, by_hash=release.by_hash),
                destination=self._place(file),
                size=file.size,
                sha256=file.sha256,
            )
            for file in files
        ]

    def _packages_files(self, snapshot: Snapshot, architecture: str) -> list[IndexFile]:
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

    def _contents_files(self, snapshot: Snapshot, architectures: Sequence[str]) -> list[IndexFile]:
        _, release = self._releases[snapshot.identity]
        found = []
        for architecture in architectures:
            names = [f"{component}/Contents-{architecture}" for component in self._archive.components]
            # Before wheezy, and in derived archives until today, one file serves all components.
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

    def _content(self, file: IndexFile) -> Iterator[bytes]:
        return decompressed(_chunks(self._place(file)), file.suffix, file.whole)

    def _place(self, file: IndexFile) -> bytes:
        return os.path.join(self._lists, file.sha256.encode() + file.suffix.encode())

    def _record(self, snapshot: Snapshot, architecture: str) -> bytes:
        return os.path.join(self._lists, f"{snapshot.identity}-{architecture}.files".encode())


def _choose(release: Release, name: str) -> IndexFile | None:
    """The file of that name in the preferred compression, if the Release has it."""
    whole = release.files.get(name)
    for suffix in SUFFIXES:
        promise = release.files.get(name + suffix)
        if promise is not None:
            # Without the plain file's size 20 times the compressed one bounds it (Contents reaches 15).
            limit = whole.size if whole is not None else promise.size * 20
            return IndexFile(name + suffix, suffix, promise.size, promise.sha256, limit)
    return None


def _addresses(path: str, sha256: str, *, by_hash: bool) -> tuple[str, ...]:
    """By hash first: what that names cannot change between the Release and it being fetched."""
    parent = path.rpartition("/")[0]
    return (f"{parent}/by-hash/SHA256/{sha256}", path) if by_hash else (path,)


def _wanted_package(package: Package, directory: bytes) -> Wanted:
    name = os.path.basename(package.filename)
    return Wanted(
        name=name.decode("utf-8", "backslashreplace"),
        paths=(_quoted(package.filename),),
        destination=os.path.join(directory, package.sha256[:16] + b"-" + name),
        size=package.size,
        sha256=package.sha256.decode("ascii"),
    )


def _quoted(path: bytes) -> str:
    from urllib.parse import quote

    return quote(path, safe="/+~:")


def _with_authority(mirror: str) -> str:
    """Apt writes file:/path too (sources.list(5))."""
    bare = mirror.startswith("file:/") and not mirror.startswith("file://")
    return f"file://{mirror.removeprefix('file:')}" if bare else mirror


def _is_there(want: Wanted) -> bool:
    return os.path.exists(want.destination)


def _chunks(path: bytes) -> Iterator[bytes]:
    with open(path, "rb", buffering=0) as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def _shown(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))
