"""HTTP servers whose threads all end with the test.

denizen forks helpers only while its process has no other threads (denizen.process_pool), so a thread that
still waits for a client's next request would change what later tests try.
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Serving(ThreadingHTTPServer):
    """A server that keeps track of its connections; closing it waits for its threads."""

    daemon_threads = False

    def __init__(self, handler: type[BaseHTTPRequestHandler], host: str) -> None:
        self.connections: set[Any] = set()
        super().__init__((host, 0), handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)


@contextlib.contextmanager
def serving(
    handler: type[BaseHTTPRequestHandler],
    host: str = "127.0.0.1",
    wrap: Callable[[socket.socket], socket.socket] = lambda plain: plain,
) -> Iterator[Serving]:
    """Serve while the context is open; `wrap` changes the socket it listens on."""
    server = Serving(handler, host)
    server.socket = wrap(server.socket)
    # A daemon, so that a test which never ends its server fails as it should and does not hold up the exit.
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        for connection in list(server.connections):
            with contextlib.suppress(OSError):  # it ended by itself meanwhile
                connection.shutdown(socket.SHUT_RDWR)
        server.server_close()
