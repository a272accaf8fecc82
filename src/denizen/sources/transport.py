"""Transports: one request for the bytes at an http, https or file URL.

Retries, mirrors and hashes are handled by `fetcher`. docs/decisions/0004-http-client.md says why urllib3 is
used and not http.client or httpx. It is imported when the first http URL is opened: that takes 110 ms.
"""

from __future__ import annotations

import errno
import os

from denizen import __version__
from denizen.errors import display
from denizen.sources.fetch_policy import CONNECT_TIMEOUT, READ_TIMEOUT
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from typing import Protocol

    from urllib3 import BaseHTTPResponse, PoolManager
else:
    Protocol = object

CHUNK = 256 * 1024
MAX_REDIRECTS = 5
MAX_OFFSET_DIGITS = 19  # 2**63 bytes; Python refuses to read numbers of over 4300 digits


class TransportError(Exception):
    """A request got no answer, or its body was incomplete; another attempt may succeed."""


class UnknownHost(TransportError):
    """The resolver says that there is no host of that name: another attempt would be told the same."""


class Validators(Value):
    """The validators of a response, for conditional requests; "" where the server gave none."""

    etag: str = ""
    modified: str = ""


class Answer(Value):
    """The head of a response.

    Attributes:
        status: as in HTTP; files answer 200, 206 and 404.
        start: the offset in the file at which the body begins (0 unless a range was honoured).
        length: number of bytes in the body, None if unknown.
        retry_after: seconds the server asks to wait, or None.
        validators: for a later conditional request.
        body: yields the bytes as they arrive; closing it ends the transfer. Raises TransportError.
    """

    status: int
    start: int
    length: int | None
    retry_after: float | None
    validators: Validators
    body: Generator[bytes, None, None]


class Transport(Protocol):
    """The interface for requesting the bytes at a URL."""

    def get(
        self, url: str, *, offset: int, validators: Validators, conditional: bool, anew: bool = False
    ) -> Answer:
        """Request the bytes from `offset`, and return the head of the response.

        With an offset the validators guard the resumption (If-Range); without one, and with `conditional`,
        they make the request conditional (304). `anew` has caches on the way ask the server. Raises
        TransportError.
        """


class HttpSettings(Value):
    """The user's HTTP settings.

    Attributes:
        proxies: proxy by scheme, and "no" for the hosts without, as urllib's getproxies gives them.
        connect_timeout, read_timeout: seconds without any data.
    """

    proxies: tuple[tuple[str, str], ...] = ()
    connect_timeout: float = CONNECT_TIMEOUT
    read_timeout: float = READ_TIMEOUT


class FileTransport:
    """The transport for file: and copy: URLs."""

    def get(
        self, url: str, *, offset: int, validators: Validators, conditional: bool, anew: bool = False
    ) -> Answer:
        del validators, conditional, anew  # reading a local file again costs nothing
        path = file_path(url)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR):
                return Answer(404, 0, 0, None, Validators(), _nothing())
            raise TransportError(str(error)) from error
        length = max(0, os.fstat(descriptor).st_size - offset)
        return Answer(206 if offset else 200, offset, length, None, Validators(), _read(descriptor, offset))


def _nothing() -> Generator[bytes, None, None]:
    yield from ()


def file_path(url: str) -> bytes:
    """Return the path that a file: URL names (RFC 8089, percent-encoding included)."""
    from urllib.parse import unquote_to_bytes

    rest = url.removeprefix("file:").removeprefix("copy:")
    if rest.startswith("//"):
        rest = "/" + rest[2:].partition("/")[2]
    return unquote_to_bytes(rest)


def _read(descriptor: int, offset: int) -> Generator[bytes, None, None]:
    with open(descriptor, "rb", buffering=0) as stream:
        try:
            stream.seek(offset)
            while chunk := stream.read(CHUNK):
                yield chunk
        except OSError as error:
            raise TransportError(str(error)) from error


class HttpTransport:
    """The transport for http: and https: URLs, with connections kept open and shared between threads."""

    def __init__(self, settings: HttpSettings, connections: int) -> None:
        self._settings = settings
        self._connections = connections
        self._pools: dict[str, PoolManager] = {}

    def get(
        self, url: str, *, offset: int, validators: Validators, conditional: bool, anew: bool = False
    ) -> Answer:
        from urllib3.exceptions import HTTPError

        headers = _request_headers(offset, validators, conditional=conditional, anew=anew)
        try:
            response = self._answered(url, headers)
        # ValueError: of an address that a server redirects to, and that is none.
        except (HTTPError, OSError, ValueError) as error:
            kind = UnknownHost if _names_no_host(_cause(error)) else TransportError
            raise kind(_reason(error)) from error
        if response.status not in (200, 206):
            _pass_over(response)
        start = _range_start(response.headers.get("content-range", "")) if response.status == 206 else 0
        return Answer(
            status=response.status,
            start=start,
            length=response.length_remaining,
            retry_after=_seconds(response.headers.get("retry-after", "")),
            validators=Validators(
                _one_line(response.headers.get("etag", "")),
                _one_line(response.headers.get("last-modified", "")),
            ),
            body=_stream(response),
        )

    def _answered(self, url: str, headers: Mapping[str, str]) -> BaseHTTPResponse:
        """Return the response after redirections; each is closed here, also where it leads nowhere."""
        from urllib.parse import urljoin

        for _ in range(MAX_REDIRECTS + 1):
            response = self._pool(url).request(
                "GET", url, headers=headers, preload_content=False, decode_content=False, redirect=False
            )
            location = response.get_redirect_location()
            if not location:
                return response
            _pass_over(response)
            url = urljoin(url, location)
        raise TransportError("too many redirects")

    def _pool(self, url: str) -> PoolManager:
        proxy = proxy_for(url, dict(self._settings.proxies))
        known = self._pools.get(proxy)
        # Threads that make one at the same time share the first, or each would have connections of its own.
        return self._pools.setdefault(proxy, self._open(proxy)) if known is None else known

    def _open(self, proxy: str) -> PoolManager:
        import urllib3

        from denizen.sources.interim_responses import bounded

        timeout = urllib3.Timeout(connect=self._settings.connect_timeout, read=self._settings.read_timeout)
        # The fetcher retries, as it knows mirrors and resumes transfers.
        retries = urllib3.Retry(
            total=None, connect=0, read=0, status=0, other=0, redirect=0, raise_on_status=False
        )
        certificates = _certificates()
        if not proxy:
            return bounded(
                urllib3.PoolManager(
                    8, maxsize=self._connections, timeout=timeout, retries=retries, ca_certs=certificates
                )
            )
        return bounded(
            urllib3.ProxyManager(
                proxy if "://" in proxy else f"http://{proxy}",
                num_pools=8,
                maxsize=self._connections,
                timeout=timeout,
                retries=retries,
                ca_certs=certificates,
            )
        )


def _certificates() -> str | None:
    """Return the file of authorities where TLS's library has none at its own place (see `authorities`)."""
    try:
        import ssl
    except ImportError:  # a Python without TLS: http alone
        return None
    from denizen.disk_view import DiskView
    from denizen.sources.tls_authorities import certificates_for

    paths = ssl.get_default_verify_paths()
    return certificates_for(DiskView(), paths.cafile, paths.capath)


def proxy_for(url: str, proxies: Mapping[str, str]) -> str:
    """Return the proxy to reach a URL through, "" for none."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    for word in proxies.get("no", "").replace(",", " ").split():
        name = word.lower().lstrip("*").lstrip(".")
        if word == "*" or host == name or host.endswith("." + name):
            return ""
    return proxies.get(parts.scheme) or proxies.get("all", "")


def _request_headers(offset: int, validators: Validators, *, conditional: bool, anew: bool) -> dict[str, str]:
    headers = {"User-Agent": f"denizen/{__version__}", "Accept-Encoding": "identity"}
    if anew:
        # RFC 9111, 5.2.1.4 and 5.4: the second is for caches that know HTTP/1.0 only.
        headers |= {"Cache-Control": "no-cache", "Pragma": "no-cache"}
    strong = "" if validators.etag.startswith("W/") else validators.etag
    if offset:
        headers["Range"] = f"bytes={offset}-"
        # RFC 9110, 13.1.5: only a strong validator may guard a range.
        if strong or validators.modified:
            headers["If-Range"] = strong or validators.modified
    elif conditional:
        if validators.etag:
            headers["If-None-Match"] = validators.etag
        if validators.modified:
            headers["If-Modified-Since"] = validators.modified
    return headers


def _stream(response: BaseHTTPResponse) -> Generator[bytes, None, None]:
    from urllib3.exceptions import HTTPError

    try:
        # read1 returns the data received so far, where read waits for a full chunk: the rate check and
        # cancelling need it.
        while chunk := response.read1(CHUNK):
            yield chunk
        if response.length_remaining:
            raise TransportError(f"the connection was cut with {response.length_remaining} bytes to come")
        response.release_conn()
    except (HTTPError, OSError) as error:
        raise TransportError(_reason(error)) from error
    finally:
        if response.length_remaining != 0:
            response.close()


def _pass_over(response: BaseHTTPResponse) -> None:
    """Read a short body that is not needed, so that its connection can be used again; else close it."""
    if response.length_remaining is not None and response.length_remaining <= CHUNK:
        response.drain_conn()
    else:
        response.close()


def _cause(error: BaseException) -> BaseException:
    while (inner := _cause_of(error)) is not None:
        error = inner
    return error


def _cause_of(error: BaseException) -> BaseException | None:
    # urllib3's ProtocolError has its cause as the second argument.
    given = (getattr(error, "reason", None), error.__cause__, *error.args[1:2])
    return next((one for one in given if isinstance(one, BaseException)), None)


def _names_no_host(cause: BaseException) -> bool:
    """Return whether a resolver answered that there is none; where no resolver answers, it is EAI_AGAIN."""
    import socket  # there already where urllib3 is

    return isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_NONAME


def _reason(error: Exception) -> str:
    """Return the text of the innermost cause: "Connection refused", not its three wrappers."""
    cause = _cause(error)
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    text = str(cause)
    # A server's words may be in it: the address that it redirects to.
    return display(text.rpartition(">: ")[2].rpartition("): ")[2] or type(cause).__name__)


def _one_line(header: str) -> str:
    """Return a header's text; nothing where it has what no header may (RFC 9110, 5.5) and was sent back."""
    return header if header.isprintable() else ""


def _range_start(header: str) -> int:
    # RFC 9110, 14.4: "bytes 100-199/200"
    first = header.removeprefix("bytes ").partition("-")[0]
    return int(first) if first.isdecimal() and len(first) <= MAX_OFFSET_DIGITS else -1


def _seconds(header: str) -> float | None:
    return float(header) if header.isdecimal() and len(header) < 7 else None
