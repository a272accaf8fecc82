"""The errors of package sources: of states, signatures, hashes and downloads; their remedies."""

from __future__ import annotations

from denizen.errors import HostLacks, SourceFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


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
