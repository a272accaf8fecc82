"""A proxy of the package archive at an address of this machine, for hosts that cannot resolve names.

It forwards requests to the archive that this machine's apt, or denizen by default, is configured for.
"""

import contextlib
import http.server
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from denizen.disk_view import DiskView
from denizen.sources.source_settings import settings
from tests.support.http_server import serving

_TIMEOUT = 120
_REQUEST = ("Range", "If-Modified-Since", "If-None-Match", "If-Range")
_ANSWER = ("Content-Length", "Content-Range", "Content-Type", "Last-Modified", "ETag", "Accept-Ranges")


@contextlib.contextmanager
def mirrored_archive(root: Path) -> Iterator[None]:
    """Let denizen with this root fetch through the proxy while the context is open."""
    directory = root / "config" / "sources"
    directory.mkdir(parents=True, exist_ok=True)
    configured = directory / "debian.sources"
    with serving(_Mirror) as server:
        configured.write_text(f"Types: deb\nURIs: http://127.0.0.1:{server.server_port}/\n")
        try:
            yield
        finally:
            configured.unlink()


class _Mirror(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._pass_on()

    def do_HEAD(self) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        url = archive_address() + self.path
        headers = {name: self.headers[name] for name in _REQUEST if name in self.headers}
        request = urllib.request.Request(url, headers=headers, method=self.command)
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
                self.send_response(answer.status)
                for name in _ANSWER:
                    if name in answer.headers:
                        self.send_header(name, answer.headers[name])
                self.end_headers()
                shutil.copyfileobj(answer, self.wfile)
        except urllib.error.HTTPError as refusal:
            self.send_response(refusal.code)
            self.send_header("Content-Length", "0")
            self.end_headers()
        except OSError as problem:
            self.close_connection = True
            self.log_error("%s: %s", url, problem)

    def log_message(self, format: str, *words: object) -> None:  # noqa: A002  # the base class's name
        """Keep quiet."""


@cache
def archive_address() -> str:
    """Return the address of the archive that requests are forwarded to."""
    (debian,) = [one for one in settings(DiskView(), b"/nonexistent") if one.name == "debian"]
    addresses = [uri.rstrip("/") for uri in (*debian.uris, *debian.fallback)]
    return next((one for one in addresses if _says_it_is_debian(one)), addresses[0])


def _says_it_is_debian(address: str) -> bool:
    """Return whether an address is one of those that denizen itself would use, signatures aside."""
    with (
        contextlib.suppress(OSError),
        urllib.request.urlopen(f"{address}/dists/stable/InRelease", timeout=_TIMEOUT) as answer,
    ):
        return b"\nOrigin: Debian\n" in answer.read(4096)
    return False
