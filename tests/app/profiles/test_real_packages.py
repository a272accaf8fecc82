"""The story of docs/tutorial.md with the archive's own zip and unzip."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.real_archive import keep_indexes, one_at_a_time, real_archive

pytestmark = [pytest.mark.network, pytest.mark.slow]
SUITE = "trixie"


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The path of a profile with zip and unzip, in the kept root of the tests."""
    place = tmp_path_factory.mktemp("story") / "profile"
    install = ("install", "zip", "unzip", "--suite", SUITE, "--profile", str(place))
    with one_at_a_time(real_archive()):
        keep_indexes(real_archive())
        done = denizen(*install)
        if "denizen index update" in done.stderr:  # the archive has thrown out what the kept indexes name
            denizen("index", "update", "--suite", SUITE)
            done = denizen(*install)
    assert done.returncode == 0, done.stderr
    yield place
    denizen("profile", "wipe", "--profile", str(place))


def denizen(*words: str) -> subprocess.CompletedProcess[str]:
    root = real_archive().session.root
    assert root is not None
    command = [sys.executable, "-m", "denizen", "--root", root, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)


def done(profile: Path, *words: str) -> str:
    """What a command about the profile prints."""
    ended = denizen(*words, "--profile", str(profile))
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_installed_removed_and_rolled_back(profile: Path, tmp_path: Path) -> None:
    zipped, unzipped = profile / "bin" / "zip", profile / "bin" / "unzip"
    reached = [place for place in profile.rglob("*") if place.is_symlink() or place.resolve().is_file()]
    assert len(reached) >= 20
    assert {path.name for path in (profile / "bin").iterdir()} == {
        "funzip", "unzip", "unzipsfx", "zip", "zipcloak", "zipgrep", "zipinfo", "zipnote", "zipsplit",
    }  # fmt: skip
    (tmp_path / "a.txt").write_text("hello\n")
    subprocess.run([zipped, "-q", "a.zip", "a.txt"], cwd=tmp_path, check=True)
    first = profile.resolve()
    done(profile, "remove", "zip")
    assert not zipped.exists()
    told = subprocess.run([unzipped, "-p", tmp_path / "a.zip"], capture_output=True, text=True, check=True)
    assert told.stdout == "hello\n"
    done(profile, "profile", "rollback")
    assert profile.resolve() == first
    found = subprocess.run(
        [profile / "bin" / "zipgrep", "hel", "a.zip"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )  # a script, in an environment
    assert found.stdout == "a.txt:hello\n"
    assert (profile / "share" / "man" / "man1" / "unzip.1.gz").exists()
