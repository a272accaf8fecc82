"""What was tried for one file so far, and with what result."""

from __future__ import annotations

from denizen.sources.base import DownloadFailed
from denizen.sources.transport import TransportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class AnotherFile(TransportError):
    """An address has a file of that name, but of another size: asking there again is no use."""


class Effort:
    """What was tried for one file so far.

    Attributes:
        anew: caches on the way are asked to look again themselves.
        tried: each URL with what happened there last.
        refused: those of them that answered, but do not have the file.
        url, attempt: what is being tried, and for which time.
    """

    def __init__(self, name: str, *, anew: bool) -> None:
        self.name = name
        self.anew = anew
        self.tried: dict[str, str] = {}
        self.refused: list[str] = []
        self.url = ""
        self.attempt = 0

    def refuse(self, reason: str) -> None:
        """Note that the address being tried does not have the file."""
        self.tried[self.url] = reason
        self.refused.append(self.url)

    def failure(self) -> DownloadFailed:
        """Return the error that tells of it all."""
        return DownloadFailed(self.name, self.tried, tuple(self.refused))

    def attempts_at(self, url: str, count: int) -> Iterator[int]:
        """Count the attempts at a URL."""
        self.url = url
        for self.attempt in range(count):
            yield self.attempt
