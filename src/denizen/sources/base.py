"""The protocol `Source` of package sources, and its values; errors.py has its errors.

A source has suites; a suite's newest verified state is a `Snapshot`; a snapshot has packages and the
paths in them. The index is built from these alone, so a mirror and a directory of files differ only
behind this protocol (tests/contract/test_source.py checks every implementation).
"""

from __future__ import annotations

from enum import IntEnum

from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Protocol

    from denizen.formats.contents import Group
    from denizen.formats.packages import Package
else:
    Protocol = object


class Scope(IntEnum):
    """The part of a snapshot's paths that is needed; each includes the ones before it."""

    LIBRARIES = 1
    PATHS = 2


class SnapshotIdentity(Value):
    """The identity and date of the snapshot an index was made from, to notice changes and downgrades."""

    identity: str
    date: int


class Snapshot(Value):
    """One dated, verified state of a suite.

    Attributes:
        source: the name of the source.
        asked: the suite as it was requested ("stable").
        suite: its permanent name ("trixie"), used in indexes and locks.
        identity: a digest of the signed text; the same identity means the same packages.
        date: when its maker made it, in seconds since 1970.
        notes: warnings for the user (an expired Release that is allowed).
    """

    source: str
    asked: str
    suite: str
    identity: str
    date: int
    notes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The text shown to people: "debian/trixie@3f2a…"."""
        return f"{self.source}/{self.suite}@{self.identity[:12]}"


class Progress(Protocol):
    """The interface by which the progress of transfers is reported; called from several threads."""

    def started(self, name: str, size: int | None) -> None:
        """Called when fetching `name` begins; `size` is its total size in bytes, None if unknown."""

    def received(self, name: str, count: int) -> None:
        """Called when `count` more bytes of it have arrived."""

    def finished(self, name: str) -> None:
        """Called when it is complete and verified."""

    def failed(self, name: str) -> None:
        """Called when it is given up."""

    def note(self, text: str) -> None:
        """Called with something a person may want to know: a retry, another mirror."""


class SilentTransfer:
    """A Progress that does nothing."""

    def started(self, name: str, size: int | None) -> None:
        """Do nothing."""

    def received(self, name: str, count: int) -> None:
        """Do nothing."""

    def finished(self, name: str) -> None:
        """Do nothing."""

    def failed(self, name: str) -> None:
        """Do nothing."""

    def note(self, text: str) -> None:
        """Do nothing."""


class Source(Protocol):
    """A place that packages come from."""

    @property
    def name(self) -> str:
        """The source's name in messages, locks and file names."""

    @property
    def provenance(self) -> str:
        """A digest of what decides whose packages these are; an index of another is not believed."""

    @property
    def suites(self) -> tuple[str, ...]:
        """The suites used by default, the base first."""

    def snapshot(self, suite: str, held: SnapshotIdentity | None) -> Snapshot:
        """Return the newest state of a suite, verified and not older than `held`. Raises SourceFailed."""

    def anew(self, suite: str, held: SnapshotIdentity | None) -> Sequence[Snapshot]:
        """Return the states of a suite that are offered now or were before, the newest first.

        Called when one of them turned out to be incomplete: all mirrors are asked, bypassing caches. None is
        older than `held`. Raises SourceFailed.
        """

    def size(self, snapshot: Snapshot, architecture: str, scope: Scope) -> int:
        """Return the number of bytes `prepare` would transfer now."""

    def prepare(self, snapshot: Snapshot, architecture: str, scope: Scope) -> None:
        """Fetch and verify the files that the three readers below need. Raises SourceFailed, HostLacks."""

    def packages(self, snapshot: Snapshot, architecture: str) -> Iterator[Package]:
        """Yield every package for an architecture, those for all architectures included."""

    def libraries(self, snapshot: Snapshot, architecture: str) -> Iterator[tuple[bytes, bytes]]:
        """Yield (path, location) of everything that could be a shared object, as Contents gives them."""

    def paths(self, snapshot: Snapshot, architecture: str) -> Iterator[Group]:
        """Yield every path of the architecture and of `all`, in groups."""

    def fetch(self, packages: Sequence[Package], directory: bytes) -> list[bytes]:
        """Return the paths of the packages' verified files, fetched into `directory` where absent."""

    def addresses(self, package: Package) -> tuple[str, ...]:
        """Return URLs (http, https or file) of the package's file, for use in derivations."""

    def forget(self, keep: Iterable[tuple[Snapshot, str]]) -> None:
        """Delete the files prepared for anything but these (snapshot, architecture) pairs."""
