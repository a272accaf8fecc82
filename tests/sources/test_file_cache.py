import hashlib
import os
from pathlib import Path

import pytest

from denizen.sources import file_cache
from denizen.sources.file_cache import is_as_promised, note_as_promised

CONTENT = b"content"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "f").write_bytes(CONTENT)
    return tmp_path / "f"


def test_a_file_is_hashed_once_until_it_changes(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = os.fsencode(file)
    assert is_as_promised(place, DIGEST)
    with monkeypatch.context() as patch:
        patch.setattr(hashlib, "file_digest", None)
        assert is_as_promised(place, DIGEST)
    assert not is_as_promised(place, "0" * 64)
    file.write_bytes(b"changed")
    os.utime(file, ns=(5, 5))
    assert not is_as_promised(place, DIGEST)


def test_what_was_hashed_as_it_came_is_not_hashed_again(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_cache, "_right", set())
    note_as_promised(os.fsencode(file), DIGEST)
    monkeypatch.setattr(hashlib, "file_digest", None)
    assert is_as_promised(os.fsencode(file), DIGEST)


def test_what_is_no_file_is_not_what_was_promised(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for name in ("fifo", "none", "."):
        assert not is_as_promised(os.fsencode(tmp_path / name), DIGEST)
