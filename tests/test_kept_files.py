"""What takes long to make is made once for all that want the same."""

import os
from pathlib import Path

import pytest

from tests.support.kept_files import digest_of, kept


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "denizen-tests"


class Maker:
    """It counts what it makes."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, directory: Path) -> Path:
        self.count += 1
        made = directory / "made"
        made.write_text(str(self.count))
        return made


def test_a_file_is_made_once_for_each_digest() -> None:
    make = Maker()
    assert [kept("thing", digest, make, most=4).read_text() for digest in ("a", "b", "a")] == ["1", "2", "1"]
    assert make.count == 2


def test_what_was_not_used_for_the_longest_time_is_forgotten(cache: Path) -> None:
    for age, digest in ((1, "a"), (3, "b"), (2, "c")):
        os.utime(kept("thing", digest, Maker(), most=3), (1000 - age, 1000 - age))
    kept("thing", "d", Maker(), most=3)
    found = {path.name for path in (cache / "thing").iterdir() if path.suffix != ".lock"}
    assert found == {"a", "c", "d"}


def test_a_failure_leaves_nothing_and_is_tried_again(cache: Path) -> None:
    def fail(directory: Path) -> Path:
        (directory / "half").write_text("x")
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011  # the one above
        kept("thing", "a", fail, most=3)
    assert [path.suffix for path in (cache / "thing").iterdir()] == [".lock"]
    assert kept("thing", "a", Maker(), most=3).read_text() == "1"


def test_names_contents_and_words_decide_the_digest(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("x")
    other.write_text("x")
    found = [digest_of(tmp_path, [one], "w"), digest_of(tmp_path, [other], "w"), digest_of(tmp_path, [one])]
    one.write_text("y")
    found.append(digest_of(tmp_path, [one], "w"))
    assert len(set(found)) == 4
    assert digest_of(tmp_path, [one, other]) == digest_of(tmp_path, [other, one])
