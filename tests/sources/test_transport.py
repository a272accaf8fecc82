import contextlib
import itertools
import os
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from denizen.sources.proxies import proxies_from
from denizen.sources.transport import (
    CHUNK,
    FileTransport,
    HttpSettings,
    HttpTransport,
    TransportError,
    Validators,
    file_path,
    proxy_for,
)
from tests.support.faulty_server import Fault, Server
from tests.support.http_server import serving

NONE = Validators()


def test_one_connection_serves_many_requests(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    with Server(tmp_path) as server:
        transport = HttpTransport(HttpSettings(), 1)
        for _ in range(5):
            answer = transport.get(f"{server.url}/a", offset=0, validators=NONE, conditional=True)
            assert b"".join(answer.body) == b"content"
        assert (server.connections, len(server.requests)) == (1, 5)


def test_what_has_not_changed_is_not_sent_again(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    with Server(tmp_path) as server:
        transport = HttpTransport(HttpSettings(), 1)
        first = transport.get(f"{server.url}/a", offset=0, validators=NONE, conditional=True)
        assert b"".join(first.body) == b"content"
        again = transport.get(f"{server.url}/a", offset=0, validators=first.validators, conditional=True)
        assert again.status == 304


def test_a_cut_body_is_an_error_after_what_came(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 1000)
    with Server(tmp_path, always={"/a": Fault(cut=300)}) as server:
        answer = HttpTransport(HttpSettings(), 1).get(
            f"{server.url}/a", offset=0, validators=NONE, conditional=False
        )
        got = bytearray()
        with pytest.raises(TransportError):  # noqa: PT012  # what came before the error is the point
            for chunk in answer.body:
                got += chunk
        assert bytes(got) == b"x" * 300


def test_nobody_listening_is_said_in_few_words() -> None:
    with pytest.raises(TransportError, match=r"^Connection refused$"):
        HttpTransport(HttpSettings(), 1).get(
            "http://127.0.0.1:1/x", offset=0, validators=NONE, conditional=False
        )


def test_a_server_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    with Server(tmp_path, always={"/a": Fault(hang=5)}) as server, pytest.raises(TransportError):
        HttpTransport(HttpSettings(read_timeout=0.1), 1).get(
            f"{server.url}/a", offset=0, validators=NONE, conditional=False
        )


def asked_of(answer: Iterable[bytes]) -> str:
    """Return why a server that sends these pieces gives no answer; its request has validators."""

    class Hostile(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with contextlib.suppress(OSError):
                for piece in answer:
                    self.wfile.write(piece)
            self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
            pass

    with serving(Hostile) as server, pytest.raises(TransportError) as refused:
        HttpTransport(HttpSettings(), 1).get(
            f"http://127.0.0.1:{server.server_address[1]}/a", offset=0, validators=NONE, conditional=False
        )
    return str(refused.value)


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        (b"http://[::bad/x:99999999", "Invalid IPv6 URL"),
        (b"http://127.0.0.1:\x1bc/", r"127.0.0.1:\x1bc"),
        (b"ftp://127.0.0.1/x", "Not supported URL scheme ftp"),
        (b"file:///etc/passwd", "No host specified."),
        (b"/a", "too many redirects"),
    ],
)
def test_a_redirection_that_leads_nowhere_is_an_error_without_the_servers_escapes(
    location: bytes, reason: str
) -> None:
    head = b"HTTP/1.1 302 x\r\nConnection: close\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n"
    said = asked_of([head % location])
    assert reason in said
    assert said.isprintable()


def test_a_server_that_says_continue_without_end_is_given_up() -> None:
    assert "without end" in asked_of(itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n"))


def test_some_interim_responses_are_passed_over() -> None:
    class Interim(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 3)
            self.wfile.write(
                b"HTTP/1.1 200 OK\r\nConnection: close\r\nETag: \x1b[2J\r\nContent-Length: 2\r\n\r\nok"
            )

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
            pass

    with serving(Interim) as server:
        answer = HttpTransport(HttpSettings(), 1).get(
            f"http://127.0.0.1:{server.server_address[1]}/a", offset=0, validators=NONE, conditional=False
        )
        assert b"".join(answer.body) == b"ok"
    # What no header may have is not kept, to be sent back.
    assert answer.validators == NONE


def test_a_file_is_read_from_an_offset_and_a_missing_one_is_404(tmp_path: Path) -> None:
    (tmp_path / "a b").write_bytes(b"content")
    answer = FileTransport().get(f"file://{tmp_path}/a%20b", offset=3, validators=NONE, conditional=False)
    assert (answer.status, answer.start, b"".join(answer.body)) == (206, 3, b"tent")
    assert (
        FileTransport().get(f"file:{tmp_path}/no", offset=0, validators=NONE, conditional=False).status == 404
    )


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_a_file_about_as_long_as_a_chunk_is_whole(tmp_path: Path, more: int) -> None:
    """Also one behind an answer whose body nobody wants, which is read past up to that length."""
    content = os.urandom(CHUNK + more)
    (tmp_path / "a").write_bytes(content)
    with Server(tmp_path, faults={"/b": [Fault(status=503, body=content)]}) as server:
        transport = HttpTransport(HttpSettings(), 1)
        refused = transport.get(f"{server.url}/b", offset=0, validators=NONE, conditional=False)
        assert refused.status == 503
        places = ((transport, server.url), (FileTransport(), f"file:{tmp_path}"))
        for reader, place in places:
            for offset in (0, 1):
                answer = reader.get(f"{place}/a", offset=offset, validators=NONE, conditional=False)
                assert b"".join(answer.body) == content[offset:]


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:/a/b", b"/a/b"),
        ("file:///a", b"/a"),
        ("file://localhost/a", b"/a"),
        ("copy:/%c3%a4", b"/\xc3\xa4"),
    ],
)
def test_file_addresses_are_read_as_the_standard_says(url: str, path: bytes) -> None:
    assert file_path(url) == path


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://mirror.example/debian", "http://p:1"),
        ("https://mirror.example/debian", "http://q:2"),
        ("http://inside.example/debian", ""),
        ("http://deep.inside.example:8080/", ""),
        ("http://notinside.example/", "http://p:1"),
        ("http://localhost/", ""),
    ],
)
def test_the_environment_says_which_proxy(url: str, proxy: str) -> None:
    environ = {
        "http_proxy": "http://p:1",
        "HTTPS_PROXY": "http://q:2",
        "no_proxy": "localhost, .inside.example",
    }
    assert proxy_for(url, dict(proxies_from(environ))) == proxy


def test_a_request_header_does_not_become_a_proxy() -> None:
    assert proxies_from({"HTTP_PROXY": "http://evil", "REQUEST_METHOD": "GET"}) == ()


def test_requests_go_through_the_proxy(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        settings = HttpSettings(proxies=(("http", server.url),))
        answer = HttpTransport(settings, 1).get(
            "http://mirror.example/x", offset=0, validators=NONE, conditional=False
        )
        assert answer.status == 404
        assert server.requests == [("http://mirror.example/x", "")]


@pytest.mark.parametrize("number", ["\xb2", "9" * 5000, "-1", ""])
def test_a_number_in_an_answer_that_is_none_is_not_believed(number: str) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {number}-9/10")
            self.send_header("Retry-After", number)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler) as server:
        answer = HttpTransport(HttpSettings(), 1).get(
            f"http://127.0.0.1:{server.server_port}/a", offset=5, validators=NONE, conditional=False
        )
        assert (answer.start, answer.retry_after, b"".join(answer.body)) == (-1, None, b"")
