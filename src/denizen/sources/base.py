"""What a source of packages is: the protocol, and the values it speaks in.

A source knows suites; a suite's newest verified state is a `Snapshot`; a snapshot has packages and the
paths they hold. The index is built from those alone, so a Nix cache, a mirror or a directory of files
differ only behind this protocol (tests/contract/test_source.py holds every implementation to it).
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
    """How much of a snapshot's paths is wanted; each includes the ones before it."""

    LIBRARIES = 1
    PATHS = 2


@value
class Held:
    """What is remembered of the snapshot an index was made from, to notice change and downgrade."""

    identity: str
    date: int


@value
class Snapshot:
    """One dated, verified state of a suite.

    Attributes:
        source: the name of the source.
        asked: the suite as it was asked for ("stable").
        suite: its lasting name ("trixie"): what indexes and locks are named by.
        identity: a digest of what was signed; the same identity means the same packages.
        date: when its maker made it, seconds since 1970.
        notes: what a user should know though it is no error (an expired Release that is allowed).
    """

    source: str
    asked: str
    suite: str
    identity: str
    date: int
    notes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """How people are shown it: "debian/trixie@3f2a…"."""
        return f"{self.source}/{self.suite}@{self.identity[:12]}"


class Progress(Protocol):
    """Who is told how a transfer goes; called from several threads."""

    def started(self, name: str, size: int | None) -> None:
        """`name` is being fetched; `size` bytes in all where that is known."""

    def received(self, name: str, count: int) -> None:
        """`count` more bytes of it came."""

    def finished(self, name: str) -> None:
        """It is complete and verified."""

    def failed(self, name: str) -> None:
        """It is given up."""

    def note(self, text: str) -> None:
        """Something a person may want to know: a retry, another mirror."""


class SilentTransfer:
    """Progress nobody watches."""

    def started(self, name: str, size: int | None) -> None:
        """Nothing."""

    def received(self, name: str, count: int) -> None:
        """Nothing."""

    def finished(self, name: str) -> None:
        """Nothing."""

    def failed(self, name: str) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""


class Source(Protocol):
    """A place packages come from."""

    @property
    def name(self) -> str:
        """What it is called in messages, locks and file names."""

    @property
    def suites(self) -> tuple[str, ...]:
        """The suites it is asked for by default, the base first."""

    def snapshot(self, suite: str, held: Held | None) -> Snapshot:
        """The newest state of a suite, verified; older than `held` is refused. Raises SourceFailed."""

    def anew(self, suite: str, held: Held | None) -> Sequence[Snapshot]:
        """Return the states of a suite that are offered now or were before, the newest first.

        For when one of them turned out to be incomplete: all mirrors are asked, and past caches. None is
        older than `held`. Raises SourceFailed.
        """

    def size(self, snapshot: Snapshot, architecture: str, scope: Scope) -> int:
        """Bytes `prepare` would transfer now."""

    def prepare(self, snapshot: Snapshot, architecture: str, scope: Scope) -> None:
        """Fetch and verify what the three readers below need. Raises SourceFailed, HostLacks."""

    def packages(self, snapshot: Snapshot, architecture: str) -> Iterator[Package]:
        """Every package for an architecture, those for all architectures included."""

    def libraries(self, snapshot: Snapshot, architecture: str) -> Iterator[tuple[bytes, bytes]]:
        """(path, location) of everything that could be a shared object, as Contents gives them."""

    def paths(self, snapshot: Snapshot, architecture: str) -> Iterator[Group]:
        """Every path of the architecture and of `all`, in runs."""

    def fetch(self, packages: Sequence[Package], directory: bytes) -> list[bytes]:
        """Paths of the packages' verified files, fetched into `directory` where they are not there yet."""

    def addresses(self, package: Package) -> tuple[str, ...]:
        """URLs (http, https or file) that should give the package's file; for derivations to name."""

    def forget(self, keep: Iterable[tuple[Snapshot, str]]) -> None:
        """Delete what was prepared for anything but these (snapshot, architecture)."""


class NoSuchSuite(SourceFailed):
    """A source does not have a suite, or not for an architecture."""

    source: str
    suite: str
    problem: str
    WHAT = "source {source:text} has no usable suite {suite}"
    WHY = "{problem:text}"
    REMEDY = "denizen source list"


class Incomplete(SourceFailed):
    """A state of a suite names files that no mirror has: the archive is in the middle of an update.

    Attributes:
        state: suite and date.
        name: the first such file.
        tried: each URL with what happened there.
    """

    state: str
    name: str
    tried: Mapping[str, str]
    WHAT = "the archive does not hang together: {state:text} names {name:text}, which no mirror has"
    REMEDY = (
        "denizen index update in some minutes: the archive is probably being updated; the previous "
        "index stays in force"
    )

    @property
    def why(self) -> str:
        return _each(self.tried)


class BadSignature(SourceFailed):
    """What should be signed is not, or not by a trusted key.

    Attributes:
        name: what was checked.
        problem: what the check said.
        keyrings: whose keys were accepted.
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
    """A file is not the one its index promised.

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
        refused: those of them that answered, but do not have the file.
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
    """Something would have to be fetched and --offline forbids it."""

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
