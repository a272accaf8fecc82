"""UrlOpener, which opens URLs for `builtin:fetch`, over the same transports as indexes."""

from __future__ import annotations

from denizen.build.builtin_fetch import NotOpened
from denizen.sources.transport import FileTransport, HttpTransport, TransportError, Validators

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.sources.transport import HttpSettings

_OK = 200
_SERVER_FAILED = 500


class UrlOpener:
    """Opens http, https and file URLs; connections are kept and shared between threads."""

    def __init__(self, settings: HttpSettings, connections: int) -> None:
        self._http = HttpTransport(settings, connections)
        self._file = FileTransport()

    def __call__(self, url: str) -> Iterator[bytes]:
        """Yield the bytes at `url` as they arrive. Raises NotOpened at once or between pieces."""
        transport = self._file if url.startswith("file:") else self._http
        try:
            answer = transport.get(url, offset=0, validators=Validators(), conditional=False)
            if answer.status != _OK:
                raise NotOpened(url, f"the answer is {answer.status}", answer.status < _SERVER_FAILED)
            yield from answer.body
        except TransportError as error:
            raise NotOpened(url, str(error)) from error
