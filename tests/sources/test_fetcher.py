import contextlib
import hashlib
import os
import random
import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from denizen.sources.base import SilentTransfer
from denizen.sources.errors import DownloadFailed, HashMismatch, NoRoom, Offline
from denizen.sources.fetch_policy import FetchPolicy
from denizen.sources.fetcher import Fetcher, FileRequest
from denizen.sources.transfer_rates import Pace, Throttle, TooSlow
from denizen.sources.transport import HttpSettings, Validators
from tests.support.faulty_server import Fault, Server
from tests.support.processes import PATIENCE

CONTENT = random.Random(1).randbytes(200_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def served(tmp_path: Path) -> Path:
    root = tmp_path / "served"
    (root / "by-hash").mkdir(parents=True)
    (root / "file").write_bytes(CONTENT)
    (root / "by-hash" / DIGEST).write_bytes(CONTENT)
    return root


def wanted(tmp_path: Path, *paths: str, **changes: Any) -> FileRequest:
    given: dict[str, Any] = {
        "name": "the file",
        "paths": paths or ("file",),
        "destination": bytes(tmp_path / "got"),
        "size": len(CONTENT),
        "sha256": DIGEST,
    }
    return FileRequest(**(given | changes))


def fetcher(mirrors: Sequence[str], waits: list[float] | None = None, **policy: Any) -> Fetcher:
    pause = (lambda _: None) if waits is None else waits.append
    return Fetcher(mirrors, HttpSettings(read_timeout=PATIENCE), FetchPolicy(**policy), pause=pause)


def test_a_file_arrives_verified_and_nothing_is_left_beside_it(tmp_path: Path, served: Path) -> None:
    with Server(served) as server:
        fetcher([server.url]).files([wanted(tmp_path)])
        fetcher([server.url]).files([wanted(tmp_path)])
        assert server.asked("file") == [""]
    assert (tmp_path / "got").read_bytes() == CONTENT
    assert os.listdir(tmp_path / "partial") == []


@pytest.mark.parametrize("seed", range(4))
def test_a_transfer_cut_at_random_places_is_resumed_where_it_was(
    tmp_path: Path, served: Path, seed: int
) -> None:
    # Some mirrors give no validators; the hash then is what makes resuming safe.
    validators = seed % 2 == 0
    cuts = [random.Random(10 * seed + cut).randrange(1, 50_000) for cut in range(3)]
    with Server(served, validators=validators) as server:
        server.faults["file"] = [Fault(cut=cut) for cut in cuts]
        fetcher([server.url]).files([wanted(tmp_path)])
        starts = ["", *[f"bytes={sum(cuts[: count + 1])}-" for count in range(3)]]
        assert server.asked("file") == starts
    assert (tmp_path / "got").read_bytes() == CONTENT


def test_the_next_run_resumes_what_this_one_could_not_finish(tmp_path: Path, served: Path) -> None:
    with Server(served) as server:
        server.faults["file"] = [Fault(cut=70_000), *[Fault(status=503)] * 3]
        with pytest.raises(DownloadFailed):
            fetcher([server.url]).files([wanted(tmp_path)])
        fetcher([server.url]).files([wanted(tmp_path)])
        assert server.asked("file")[-1] == "bytes=70000-"
    assert (tmp_path / "got").read_bytes() == CONTENT


def test_a_file_that_changed_between_two_parts_is_fetched_anew(tmp_path: Path, served: Path) -> None:
    with Server(served) as server:
        server.faults["file"] = [Fault(cut=1000)]
        asked = []

        def change(path: str) -> None:
            asked.append(path)
            if len(asked) == 2:
                os.utime(served / "file", ns=(7, 7))

        server.on_request = change
        fetcher([server.url]).files([wanted(tmp_path)])
        assert server.asked("file") == ["", "bytes=1000-"]
    assert (tmp_path / "got").read_bytes() == CONTENT


def test_a_server_without_ranges_starts_again(tmp_path: Path, served: Path) -> None:
    with Server(served) as server:
        server.faults["file"] = [Fault(cut=1000), Fault(ignore_range=True)]
        fetcher([server.url]).files([wanted(tmp_path)])
    assert (tmp_path / "got").read_bytes() == CONTENT


def test_a_part_from_another_place_is_not_taken(tmp_path: Path, served: Path) -> None:
    with Server(served) as server:
        server.faults["file"] = [Fault(cut=1000), Fault(shift=10)]
        fetcher([server.url]).files([wanted(tmp_path)])
        assert server.asked("file") == ["", "bytes=1000-", "bytes=1000-"]
    assert (tmp_path / "got").read_bytes() == CONTENT


def test_wrong_content_is_refused_whole_and_the_next_mirror_asked(tmp_path: Path, served: Path) -> None:
    wrong = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])
    with Server(served) as good, Server(served, always={"file": Fault(body=wrong)}) as bad:
        fetcher([bad.url, good.url]).files([wanted(tmp_path)])
        assert (bad.asked("file"), good.asked("file")) == ([""], [""])
    assert (tmp_path / "got").read_bytes() == CONTENT


def test_wrong_content_everywhere_is_an_error_that_names_every_address(tmp_path: Path, served: Path) -> None:
    with Server(served, always={"file": Fault(body=CONTENT[::-1])}) as server:
        with pytest.raises(HashMismatch) as caught:
            fetcher([server.url]).files([wanted(tmp_path)])
        assert list(caught.value.tried) == [f"{server.url}/file"]
    assert not (tmp_path / "got").exists()
    assert os.listdir(tmp_path / "partial") == []


@pytest.mark.parametrize("body", [CONTENT + b"more", CONTENT * 40], ids=["a little", "much"])
def test_more_than_was_promised_is_not_read(tmp_path: Path, served: Path, body: bytes) -> None:
    with Server(served, always={"file": Fault(body=body)}) as server, pytest.raises(DownloadFailed) as caught:
        fetcher([server.url]).files([wanted(tmp_path)])
    assert f"it has {len(body)} bytes instead of {len(CONTENT)}" in caught.value.why
    assert len(server.asked("file")) == 1


def test_less_than_was_promised_is_not_taken(tmp_path: Path, served: Path) -> None:
    short = {"file": Fault(body=CONTENT[:10])}
    with Server(served, always=short) as server, pytest.raises(DownloadFailed) as caught:
        fetcher([server.url]).files([wanted(tmp_path)])
    assert "it has 10 bytes" in caught.value.why
    assert len(server.asked("file")) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 408])
def test_a_server_in_trouble_is_asked_again_with_growing_patience(
    tmp_path: Path, served: Path, status: int
) -> None:
    waits: list[float] = []
    with Server(served) as server:
        server.faults["file"] = [Fault(status=status)] * 3
        fetcher([server.url], waits).files([wanted(tmp_path)])
    assert waits == [0.5, 1.0, 2.0]


@pytest.mark.parametrize(("code", "waited"), [(socket.EAI_NONAME, []), (socket.EAI_AGAIN, [0.5, 1.0, 2.0])])
def test_a_host_that_no_resolver_knows_is_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, waited: list[float]
) -> None:
    """Where the resolver itself is not reached, another attempt may be told more."""

    def answer(*_: object, **__: object) -> None:
        raise socket.gaierror(code, "what it says")

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    waits: list[float] = []
    with pytest.raises(DownloadFailed, match="what it says"):
        fetcher(["http://mirror.example"], waits).files([wanted(tmp_path)])
    assert waits == waited


def test_retry_after_is_heeded_within_reason(tmp_path: Path, served: Path) -> None:
    waits: list[float] = []
    with Server(served) as server:
        server.faults["file"] = [Fault(status=429, retry_after=7), Fault(status=503, retry_after=90_000)]
        fetcher([server.url], waits).files([wanted(tmp_path)])
    assert waits == [7, 20]


def test_trouble_without_end_moves_on_to_the_next_mirror(tmp_path: Path, served: Path) -> None:
    with Server(served) as good, Server(served, always={"file": Fault(status=503)}) as bad:
        fetcher([bad.url, good.url]).files([wanted(tmp_path)])
        assert len(bad.asked("file")) == 4
    assert (tmp_path / "got").read_bytes() == CONTENT


def test_what_is_missing_is_asked_for_once_and_by_its_other_name_next(tmp_path: Path, served: Path) -> None:
    with Server(served) as server:
        fetcher([server.url]).files([wanted(tmp_path, "by-hash/gone", "file")])
        assert [path for path, _ in server.requests] == ["/by-hash/gone", "/file"]


def test_what_is_missing_everywhere_names_every_address(tmp_path: Path, served: Path) -> None:
    with Server(served) as one, Server(served) as two:
        with pytest.raises(DownloadFailed) as caught:
            fetcher([one.url, two.url]).files([wanted(tmp_path, "no", "nor/this")])
        assert list(caught.value.tried) == [
            f"{url}/{path}" for url in (one.url, two.url) for path in ("no", "nor/this")
        ]
    assert "HTTP 404" in caught.value.why


def test_a_mirror_that_trickles_is_left_for_another(tmp_path: Path, served: Path) -> None:
    with Server(served) as good, Server(served, always={"file": Fault(pause=0.02)}) as slow:
        quick = fetcher([slow.url, good.url], attempts=1, min_rate=1_000_000, patience=0.2)
        quick.files([wanted(tmp_path)])
        # What had come is kept: the second mirror is asked for the rest.
        assert good.asked("file") != [""]
    assert (tmp_path / "got").read_bytes() == CONTENT


def test_files_come_at_the_same_time_over_few_connections(tmp_path: Path, served: Path) -> None:
    for number in range(12):
        (served / f"f{number}").write_bytes(CONTENT)
    # Directories of their own: the same content would meet itself under its hash in partial/.
    many = [wanted(tmp_path, f"f{n}", destination=bytes(tmp_path / f"d{n}" / "g")) for n in range(12)]
    barrier = threading.Barrier(3, timeout=PATIENCE)

    def meet(_: str) -> None:
        barrier.wait()

    with Server(served, on_request=meet) as server:
        fetcher([server.url], workers=3).files(many)
        assert server.connections <= 3
    assert all((tmp_path / f"d{number}" / "g").read_bytes() == CONTENT for number in range(12))


def test_one_failure_stops_the_others_and_is_the_one_told(tmp_path: Path, served: Path) -> None:
    (served / "slow").write_bytes(CONTENT)
    with (
        Server(served, always={"slow": Fault(pause=0.01)}) as server,
        pytest.raises(DownloadFailed, match="gone"),
    ):
        fetcher([server.url]).files(
            [
                wanted(tmp_path, "slow", destination=bytes(tmp_path / "a" / "slow")),
                wanted(tmp_path, "gone", name="gone", destination=bytes(tmp_path / "b" / "gone")),
            ]
        )
    assert os.listdir(tmp_path / "a") == ["partial"]


def test_offline_fetches_nothing_but_takes_what_is_there(tmp_path: Path, served: Path) -> None:
    with Server(served) as server:
        with pytest.raises(Offline):
            fetcher([server.url], offline=True).files([wanted(tmp_path)])
        with pytest.raises(Offline):
            fetcher([server.url], offline=True).small(
                "x", server.url, "file", limit=1, validators=Validators()
            )
        assert server.requests == []
    fetcher([f"file:{served}"], offline=True).files([wanted(tmp_path)])
    fetcher(["http://127.0.0.1:1"], offline=True).files([wanted(tmp_path)])


def test_a_place_that_cannot_be_written_is_the_machines_fault(tmp_path: Path, served: Path) -> None:
    (tmp_path / "partial").write_bytes(b"a file where a directory should be")
    with pytest.raises(NoRoom) as caught:
        fetcher([f"file:{served}"]).files([wanted(tmp_path)])
    assert "--root" in caught.value.remedy


def test_a_small_file_is_bounded_and_conditional(served: Path) -> None:
    (served / "small").write_bytes(b"text")
    with Server(served) as server:
        one = fetcher([server.url])
        first = one.small("small", server.url, "small", limit=4, validators=Validators())
        assert first.content == b"text"
        again = one.small("small", server.url, "small", limit=4, validators=first.validators)
        assert again.content is None
        with pytest.raises(DownloadFailed, match="longer than 3"):
            one.small("small", server.url, "small", limit=3, validators=Validators())


def test_an_answer_that_nobody_asked_for_is_no_content(tmp_path: Path, served: Path) -> None:
    (served / "small").write_bytes(b"text")
    with Server(served, always={"": Fault(status=304)}) as server:
        one = fetcher([server.url])
        with pytest.raises(DownloadFailed, match="HTTP 304"):
            one.small("small", server.url, "small", limit=4, validators=Validators())
        with pytest.raises(DownloadFailed, match="HTTP 304"):
            one.files([wanted(tmp_path)])


def test_a_transfer_cut_before_its_first_byte_is_asked_for_whole(tmp_path: Path, served: Path) -> None:
    # With the validators of the first answer, the second would be that nothing has changed.
    with Server(served, faults={"file": [Fault(cut=0)]}) as server:
        fetcher([server.url]).files([wanted(tmp_path)])
        assert server.unchanged == 0
    assert (tmp_path / "got").read_bytes() == CONTENT


def test_progress_is_told_of_every_byte(tmp_path: Path, served: Path) -> None:
    class Told(SilentTransfer):
        def __init__(self) -> None:
            self.events: list[tuple[str, int | None]] = []
            self.count = 0

        def started(self, name: str, size: int | None) -> None:
            self.events.append((name, size))

        def received(self, name: str, count: int) -> None:
            assert name == "the file"
            self.count += count

        def finished(self, name: str) -> None:
            self.events.append((name, self.count))

    told = Told()
    Fetcher([f"file:{served}"], HttpSettings(), FetchPolicy(), told).files([wanted(tmp_path)])
    assert told.events == [("the file", len(CONTENT)), ("the file", len(CONTENT))]


def test_a_rate_is_kept_by_waiting() -> None:
    waits: list[float] = []
    throttle = Throttle(1000, clock=lambda: 0.0)
    for _ in range(3):
        throttle.spend(500, waits.append)
    assert waits == [0.5, 1.0, 1.5]


def test_slowness_is_judged_over_a_window() -> None:
    now = [0.0]
    pace = Pace(100, 10, clock=lambda: now[0])
    pace.account(1)
    now[0] = 10
    pace.account(1000)
    now[0] = 20
    with pytest.raises(TooSlow):
        pace.account(999)


@pytest.mark.parametrize("content", [b"", CONTENT[:-1], b"x" * len(CONTENT)])
def test_what_is_there_by_name_with_another_content_is_fetched_again(
    tmp_path: Path, served: Path, content: bytes
) -> None:
    (tmp_path / "got").write_bytes(content)
    with Server(served) as server:
        with pytest.raises(Offline):
            fetcher([server.url], offline=True).files([wanted(tmp_path)])
        fetcher([server.url]).files([wanted(tmp_path)])
    assert (tmp_path / "got").read_bytes() == CONTENT


def test_a_body_without_end_is_left_where_it_is_longer_than_the_file(tmp_path: Path) -> None:
    piece, pieces, sent = bytes(1 << 20), 200, []

    def serve(listening: socket.socket) -> None:
        for _ in range(2):
            connection, _ = listening.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
                with contextlib.suppress(OSError):
                    for _ in range(pieces):
                        connection.sendall(piece)
                        sent.append(len(piece))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=serve, args=(listening,), daemon=True)
        server.start()
        mirror = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with pytest.raises(DownloadFailed, match="longer than the 200000 bytes"):
            fetcher([mirror, mirror]).files([wanted(tmp_path)])
        server.join(PATIENCE)
    # What the kernel holds for a connection is a few megabytes.
    assert len(sent) < 2 * pieces // 4
    assert not (tmp_path / "got").exists()
