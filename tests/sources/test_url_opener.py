import hashlib
from pathlib import Path

import pytest

from denizen.build.builtin_fetch import NotOpened, fetching
from denizen.build.realise import RealiseOptions, realise
from denizen.formats.hashes import Hash
from denizen.sources.transport import HttpSettings
from denizen.sources.url_opener import UrlOpener
from tests.support.derivations import BuildStore
from tests.support.faulty_server import Fault, Server
from tests.support.processes import PATIENCE


@pytest.fixture
def opener() -> UrlOpener:
    return UrlOpener(HttpSettings(connect_timeout=PATIENCE, read_timeout=PATIENCE), 1)


def test_a_file_is_read_whole_with_its_name_decoded(opener: UrlOpener, tmp_path: Path) -> None:
    path = tmp_path / "a file%3a.deb"
    path.write_bytes(b"x" * 600_000)
    assert b"".join(opener(path.as_uri())) == b"x" * 600_000


def test_a_file_that_is_not_there_is_said_to_be_so(opener: UrlOpener, tmp_path: Path) -> None:
    with pytest.raises(NotOpened, match="404"):
        list(opener((tmp_path / "missing").as_uri()))


def test_a_server_that_does_not_answer_is_said_to_be_so(opener: UrlOpener) -> None:
    # Port 1 of this machine: nothing listens there.
    with pytest.raises(NotOpened, match="refused"):
        list(opener("http://127.0.0.1:1/x"))


def test_over_http_a_cut_a_refusal_and_a_lie_lead_to_the_next_url(opener: UrlOpener, tmp_path: Path) -> None:
    content = bytes(range(256)) * 4000
    served = tmp_path / "served"
    for mirror in ("cut", "busy", "lies", "good"):
        (served / mirror).mkdir(parents=True)
        (served / mirror / "x").write_bytes(content)
    shop = BuildStore(tmp_path)
    value = Hash("sha256", hashlib.sha256(content).digest())
    with Server(served) as server:
        server.always = {
            "cut/x": Fault(cut=100_000),
            "busy/x": Fault(status=503),
            "lies/x": Fault(body=content[:-1] + b"!"),
        }
        urls = [f"{server.url}/{mirror}/x" for mirror in ("cut", "busy", "lies", "gone", "good")]
        one = shop.derive("x", fetching(urls, value, shop.store_dir, size=len(content)))
        realise(shop.store, [one.path], RealiseOptions(opener))
    assert shop.place(one).read_bytes() == content
    assert [path for path, _ in server.requests] == ["/cut/x", "/busy/x", "/lies/x", "/gone/x", "/good/x"]
    assert shop.left_behind() == []
    shop.store.close()
