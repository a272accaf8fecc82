from pathlib import Path

import pytest

from denizen.build.fetch import NotOpened
from denizen.sources.opener import UrlOpener
from denizen.sources.transport import HttpSettings


@pytest.fixture
def opener() -> UrlOpener:
    return UrlOpener(HttpSettings(connect_timeout=5, read_timeout=5), 1)


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
