"""The protocol `Source` of package sources, its values and its errors.

A source has suites; a suite's newest verified state is a `Snapshot`; a snapshot has packages and the
paths in them. The index is built from these alone, so a mirror and a directory of files differ only
behind this protocol (tests/contract/test_source.py checks every implementation).
"""

from __future__ import annotations

from enum import IntEnum

from denizen.errors import HostLacks, SourceFailed
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Protocol

    from denizen.formats.contents import Group
    from denizen.formats.packages import Package
else:
    Protocol = object


class Scope(IntEnum):
    """The part of a snapshot's paths that is needed; each includes the ones before it."""

    LIBRARIES = 1
    PATHS = 2


@value
class SnapshotIdentity:
    """The identity and date of the snapshot an index was made from, to notice changes and downgrades."""

    identity: str
    date: int


@value
class Snapshot:
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


class NoSuchSuite(SourceFailed):
    """A source does not have a suite, or not for an architecture."""

    source: str
    suite: str
    problem: str
    WHAT = "source {source:text} has no usable suite {suite}"
    WHY = "{problem:text}"
    REMEDY = "denizen source list"


class Incomplete(SourceFailed):
    """A state of a suite lists files that no mirror has: the archive is in the middle of an update.

    Attributes:
        state: suite and date.
        name: the first such file.
        tried: each URL with what happened there.
    """

    state: str
    name: str
    tried: Mapping[str, str]
    WHAT = "the archive is inconsistent: {state:text} names {name:text}, which no mirror has"
    REMEDY = (
        "denizen index update in some minutes: the archive is probably being updated; the previous "
        "index stays in force"
    )

    @property
    def why(self) -> str:
        return _each(self.tried)


class BadSignature(SourceFailed):
    """A text is not signed, or not by a trusted key.

    Attributes:
        name: the file that was checked.
        problem: the result of the check.
        keyrings: names of the keyrings whose keys are trusted.
    """

    name: str
    problem: str
    keyrings: tuple[str, ...]
    WHAT = "the signature of {name:text} is not good; nothing of it is used"
    REMEDY = "denizen source list shows keyrings; the previous index stays in force"

    @property
    def why(self) -> str:
        return f"{self.problem} (keyrings: {', '.join(self.keyrings) or 'none'})"


class HashMismatch(SourceFailed):
    """A file does not have the hash its index states.

    Attributes:
        tried: each URL with what was wrong there.
    """

    name: str
    tried: Mapping[str, str]
    WHAT = "{name:text} is not what the signed index promises; it is not used"
    REMEDY = "denizen index update again in some minutes: a mirror may be half updated"

    @property
    def why(self) -> str:
        return _each(self.tried)


class Expired(SourceFailed):
    """A Release is past its Valid-Until."""

    suite: str
    until: str
    WHAT = "the Release of {suite:text} is past its Valid-Until"
    WHY = "it was valid until {until:text}: the mirror is stale, or somebody replays an old state"
    REMEDY = (
        "another mirror, or 'Check-Valid-Until: no' in the source's configuration; the previous "
        "index stays in force"
    )


class Downgrade(SourceFailed):
    """A Release is older than the one the index was made from."""

    suite: str
    offered: str
    held: str
    WHAT = "the Release of {suite:text} is older than the one already held"
    WHY = "offered: {offered:text}, held: {held:text}"
    REMEDY = "another mirror; the previous index stays in force"


class DownloadFailed(SourceFailed):
    """No mirror gave a file.

    Attributes:
        tried: each URL with what happened there.
        refused: the URLs that answered, but do not have the file.
    """

    name: str
    tried: Mapping[str, str]
    refused: tuple[str, ...] = ()
    WHAT = "{name:text} could not be fetched"

    @property
    def why(self) -> str:
        return _each(self.tried)

    @property
    def remedy(self) -> str:
        if self.refused:
            return (
                "denizen index update, for the archive may have moved on; or add a mirror: denizen source add"
            )
        return "check the network or the proxy settings, or name another mirror: denizen source add"


class Offline(SourceFailed):
    """A file would have to be fetched, and --offline forbids it."""

    name: str
    WHAT = "{name:text} is not here, and --offline forbids fetching it"
    REMEDY = "the same command without --offline"


class NoRoom(HostLacks):
    """A file could not be written."""

    path: bytes
    problem: str
    WHAT = "{path} could not be written"
    WHY = "{problem:text}"
    REMEDY = "make room, or keep denizen's files elsewhere: --root DIR"


def _each(tried: Mapping[str, str]) -> str:
    """Return a line for each URL, with what happened there."""
    return "\n".join(f"{url}: {problem}" for url, problem in tried.items())
