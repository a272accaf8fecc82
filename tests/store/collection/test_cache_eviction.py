"""What is old goes, what is used stays."""

import os
from pathlib import Path

import pytest

from denizen.store.collection.cache_eviction import TrimmedEntries, trim

NOW = 1_800_000_000
DAY = 86_400


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Files and directories last read or written so many days ago."""
    for name, read, written in (
        ("old", 40, 50),
        ("read", 2, 50),
        ("written", 50, 2),
        (".lock", 90, 90),
        (".x.0f.tmp", 2, 2),
    ):
        (tmp_path / name).write_bytes(b"x" * 5000)
        os.utime(tmp_path / name, (NOW - read * DAY, NOW - written * DAY))
    for name, read in (("old-facts", 40), ("facts", 3)):
        (tmp_path / name / "below").mkdir(parents=True)
        (tmp_path / name / "index").write_bytes(b"x" * 5000)
        for place in (tmp_path / name / "below", tmp_path / name / "index"):
            os.utime(place, (NOW - read * DAY, NOW - 50 * DAY))
        os.utime(tmp_path / name, (NOW - DAY, NOW - 50 * DAY))
    return tmp_path


def test_what_was_not_used_for_long_is_let_go(cache: Path) -> None:
    done = trim([os.fsencode(cache), os.fsencode(cache / "absent")], NOW - 30 * DAY, keep=False)
    assert done.count == 2
    assert done.size >= 10_000
    assert sorted(os.listdir(cache)) == [".lock", ".x.0f.tmp", "facts", "read", "written"]


def test_what_a_killed_process_left_is_let_go(cache: Path) -> None:
    os.utime(cache / ".x.0f.tmp", (NOW - 40 * DAY,) * 2)
    assert trim([os.fsencode(cache)], NOW - 30 * DAY, keep=False).count == 3
    assert not (cache / ".x.0f.tmp").exists()


def test_one_directory_inside_another_stays_when_what_is_in_it_goes(cache: Path) -> None:
    inner = cache / "old-facts"
    trim([os.fsencode(cache), os.fsencode(inner)], NOW - 30 * DAY, keep=False)
    assert list(inner.iterdir()) == []


def test_a_look_changes_nothing_and_says_the_same(cache: Path) -> None:
    before = sorted(os.listdir(cache))
    seen = trim([os.fsencode(cache)], NOW - 30 * DAY, keep=True)
    assert sorted(os.listdir(cache)) == before
    assert seen.count == 2
    assert seen.size >= 10_000
    assert trim([os.fsencode(cache)], NOW - 100 * DAY, keep=True) == TrimmedEntries(0, 0)
