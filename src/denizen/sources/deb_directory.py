"""DirectoryOfDebs, the source over a local directory of .deb files.

There is no signature and no index: the user who names the directory trusts it. Its one suite has the
source's name; the packages themselves are read for names, paths, sizes and hashes. A file that is not a
valid package is an error, not left out.
"""

from __future__ import annotations

import hashlib
import os

from denizen.disk import open_regular
from denizen.errors import BadInput, SourceFailed, display
from denizen.formats.deb import Deb
from denizen.formats.file_tree import Directory
from denizen.formats.packages import package_of
from denizen.formats.percent import percent_encoded
from denizen.sha256 import hex_digest_of
from denizen.sources.base import Snapshot
from denizen.sources.errors import HashMismatch, NoSuchSuite
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from denizen.formats.contents import Group
    from denizen.formats.packages import Package
    from denizen.sources.base import Scope, SnapshotIdentity

_ALL = b"all"


class BadPackageFile(SourceFailed):
    """A file of the directory is not a package that can be used."""

    path: bytes
    problem: str
    WHAT = "{path} is not a usable package"
    WHY = "{problem:text}"
    REMEDY = "move it out of the directory; the previous index stays in force"


class Unpacked(Value):
    """The metadata and paths of one package file.

    Attributes:
        paths: everything in it but directories, without leading slashes.
    """

    package: Package
    paths: tuple[bytes, ...]


class DirectoryOfDebs:
    """A source over the .deb files below a directory."""

    def __init__(self, name: str, directory: bytes, provenance: str = "") -> None:
        self._name = name
        self._directory = directory
        self.provenance = provenance
        self._read: dict[str, list[Unpacked]] = {}

    @property
    def name(self) -> str:
        return self._name

    @property
    def suites(self) -> tuple[str, ...]:
        return (self._name,)

    def snapshot(self, suite: str, held: SnapshotIdentity | None) -> Snapshot:
        """Return the state of the directory: the names, sizes and modification times of its files."""
        if suite != self._name:
            raise NoSuchSuite(self._name, suite, f"a directory has one suite, {self._name}")
        files = self._files()
        text = b"".join([b"%b %d %d\n" % (name, facts.st_size, facts.st_mtime_ns) for name, facts in files])
        # No check against `held`: removing the newest file makes the state older, which is no attack here.
        del held
        date = max([int(facts.st_mtime) for _, facts in files], default=0)
        identity = hex_digest_of(text)[:32]
        return Snapshot(self._name, suite, self._name, identity, date)

    def anew(self, suite: str, held: SnapshotIdentity | None) -> Sequence[Snapshot]:
        """Return its only state."""
        return [self.snapshot(suite, held)]

    def size(self, snapshot: Snapshot, architecture: str, scope: Scope) -> int:
        """Return 0, as nothing is transferred."""
        del snapshot, architecture, scope
        return 0

    def prepare(self, snapshot: Snapshot, architecture: str, scope: Scope) -> None:
        """Read every package of the directory."""
        del architecture, scope
        if snapshot.identity not in self._read:
            self._read = {snapshot.identity: [self._unpacked(name) for name, _ in self._files()]}

    def packages(self, snapshot: Snapshot, architecture: str) -> Iterator[Package]:
        return (one.package for one in self._of(snapshot, architecture))

    def libraries(self, snapshot: Snapshot, architecture: str) -> Iterator[tuple[bytes, bytes]]:
        return (
            (path, one.package.name)
            for one in self._of(snapshot, architecture)
            for path in one.paths
            if b".so" in path
        )

    def paths(self, snapshot: Snapshot, architecture: str) -> Iterator[Group]:
        owners: dict[bytes, list[bytes]] = {}
        for one in self._of(snapshot, architecture):
            for path in one.paths:
                owners.setdefault(path, []).append(one.package.name)
        # As in a Contents list, a path is there once, with all packages that have it.
        for path, names in owners.items():
            directory, _, name = path.rpartition(b"/")
            yield directory, b",".join(dict.fromkeys(names)), [name]

    def fetch(self, packages: Sequence[Package], directory: bytes) -> list[bytes]:
        """Return the packages' paths in the source's directory, after checking their hashes."""
        del directory
        return [self._checked(package) for package in packages]

    def addresses(self, package: Package) -> tuple[str, ...]:
        return ("file://" + percent_encoded(os.path.join(self._directory, package.filename)),)

    def forget(self, keep: Iterable[tuple[Snapshot, str]]) -> None:
        """Do nothing: no files are kept."""
        del keep

    def _of(self, snapshot: Snapshot, architecture: str) -> Iterator[Unpacked]:
        wanted = (architecture.encode(), _ALL)
        return (one for one in self._read[snapshot.identity] if one.package.architecture in wanted)

    def _files(self) -> list[tuple[bytes, os.stat_result]]:
        """Return (path below the directory, stat result) of each package file, sorted."""
        found = []
        for parent, _, names in os.walk(self._directory, onerror=self._unreadable):
            for name in names:
                if name.endswith(b".deb"):
                    path = os.path.join(parent, name)
                    found.append((os.path.relpath(path, self._directory), os.stat(path)))
        return sorted(found, key=lambda pair: pair[0])

    def _unreadable(self, error: OSError) -> None:
        raise NoSuchSuite(self._name, self._name, f"{display(self._directory)}: {error.strerror}")

    def _unpacked(self, name: bytes) -> Unpacked:
        path = os.path.join(self._directory, name)
        try:
            with open(path, "rb", opener=open_regular) as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
                size = stream.tell()
                stream.seek(0)
                deb = Deb(stream)
                placed = b"Filename: %b\nSize: %d\nSHA256: %b\n" % (name, size, digest.encode())
                package = package_of(deb.control.rstrip(b"\n") + b"\n" + placed)
                paths = tuple([entry.path for entry in deb.entries() if not isinstance(entry, Directory)])
        except BadInput as error:
            raise BadPackageFile(path, str(error)) from error
        except OSError as error:
            raise BadPackageFile(path, error.strerror or str(error)) from error
        return Unpacked(package, paths)

    def _checked(self, package: Package) -> bytes:
        path = os.path.join(self._directory, package.filename)
        with open(path, "rb", opener=open_regular) as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest().encode() != package.sha256:
                raise HashMismatch(
                    display(package.filename), {display(path): "it changed since it was indexed"}
                )
        return path
