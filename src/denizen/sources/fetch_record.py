"""FetchRecord, the record of attempts to fetch one file."""

from __future__ import annotations

from denizen.sources.errors import DownloadFailed
from denizen.sources.transport import TransportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class AnotherFile(TransportError):
    """An address has a file of that name, but of another size, so it is not asked again."""


class FetchRecord:
    """The attempts to fetch one file.

    Attributes:
        name: the file's name for messages.
        anew: caches on the way are bypassed.
        tried: each URL with what happened there last.
        refused: the URLs that answered, but do not have the file.
        url, attempt: the URL being tried, and the number of the attempt, from 0.
    """

    def __init__(self, name: str, *, anew: bool) -> None:
        self.name = name
        self.anew = anew
        self.tried: dict[str, str] = {}
        self.refused: list[str] = []
        self.url = ""
        self.attempt = 0

    def refuse(self, reason: str) -> None:
        """Record that the address being tried does not have the file."""
        self.tried[self.url] = reason
        self.refused.append(self.url)

    def failure(self) -> DownloadFailed:
        """Return the error that lists all attempts."""
        return DownloadFailed(self.name, self.tried, tuple(self.refused))

    def attempts_at(self, url: str, count: int) -> Iterator[int]:
        """Yield the numbers of the attempts at a URL, from 0."""
        self.url = url
        for self.attempt in range(count):
            yield self.attempt
