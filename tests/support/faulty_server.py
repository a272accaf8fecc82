"""An HTTP server on localhost that misbehaves on purpose."""

import contextlib
import email.utils
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.http_server import serving


@dataclass(frozen=True)
class Fault:
    """The fault of one answer."""

    status: int = 0
    retry_after: int | None = None
    cut: int | None = None
    body: bytes | None = None
    pause: float = 0
    ignore_range: bool = False
    hang: float = 0
    shift: int = 0


@dataclass
class Server:
    """Serves a directory; `faults` maps the end of a path to the faults its next answers have.

    A fault stays for good where `always` says so; else each is used up by one request.
    """

    root: Path
    faults: dict[str, list[Fault]] = field(default_factory=lambda: defaultdict(list))
    always: dict[str, Fault] = field(default_factory=dict)
    validators: bool = True
    requests: list[tuple[str, str]] = field(default_factory=list)
    headers: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    unchanged: int = 0
    connections: int = 0
    on_request: Callable[[str], None] | None = None

    def __enter__(self) -> Self:
        self.over = threading.Event()
        self._stack = contextlib.ExitStack()
        self._http = self._stack.enter_context(serving(_handler(self)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        self._stack.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def fault_for(self, path: str) -> Fault:
        for end, queue in self.faults.items():
            if path.endswith(end) and queue:
                return queue.pop(0)
        return next((fault for end, fault in self.always.items() if path.endswith(end)), Fault())

    def asked(self, end: str) -> list[str]:
        """The Range headers ("" for none) of the requests for paths that end so."""
        return [header for path, header in self.requests if path.endswith(end)]


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            server.connections += 1
            super().setup()

        def do_GET(self) -> None:
            requested = self.headers.get("Range", "")
            server.requests.append((self.path, requested))
            server.headers.append((self.path, dict(self.headers)))
            if server.on_request is not None:
                server.on_request(self.path)
            fault = server.fault_for(self.path)
            server.over.wait(fault.hang)
            file = server.root / self.path.lstrip("/")
            if fault.status or not file.is_file():
                self._refuse(fault)
                return
            content = file.read_bytes() if fault.body is None else fault.body
            etag = f'"{file.stat().st_mtime_ns}-{file.stat().st_size}"'
            if server.validators and self.headers.get("If-None-Match") == etag:
                server.unchanged += 1
                self.send_response(304)
                self.end_headers()
                return
            guard = self.headers.get("If-Range", etag)
            start = 0
            if requested and not fault.ignore_range and guard == etag and fault.body is None:
                start = int(requested.removeprefix("bytes=").partition("-")[0])
            if start > len(content):
                self.send_response(416)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            start = max(0, start - fault.shift)
            self._send(content, start, etag, fault)

        def _refuse(self, fault: Fault) -> None:
            self.send_response(fault.status or 404)
            if fault.retry_after is not None:
                self.send_header("Retry-After", str(fault.retry_after))
            body = fault.body or b""
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.wfile.write(body)

        def _send(self, content: bytes, start: int, etag: str, fault: Fault) -> None:
            body = content[start:]
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            if server.validators:
                self.send_header("ETag", etag)
                self.send_header("Last-Modified", email.utils.formatdate(0, usegmt=True))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            sent = body if fault.cut is None else body[: fault.cut]
            try:
                for position in range(0, len(sent), 64) if fault.pause else [None]:
                    server.over.wait(fault.pause)
                    self.wfile.write(sent if position is None else sent[position : position + 64])
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
            if fault.cut is not None:
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
            pass

    return Handler
