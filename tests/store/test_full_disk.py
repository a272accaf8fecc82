"""A disk full to its last block: what needs no room works, all else says so, and a collection makes room."""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from denizen.store.errors import DiskFailed, is_full
from denizen.store.local import Store
from tests.support.denizen_command import denizen, lines

SIZE = 24 * 1024 * 1024
# ext4 on a file wants a loop device, which containers often lack.
DISKS = ("tmpfs", "ext4", "ext4 with blocks of 1 KiB")


@pytest.fixture(params=DISKS)
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)]
    if request.param.startswith("ext4"):
        image = tmp_path / "image"
        with image.open("wb") as stream:
            stream.truncate(SIZE)
        # A user's PATH need not have the directories of administrators.
        found = shutil.which("mkfs.ext4", path=f"{os.environ['PATH']}:/usr/sbin:/sbin") or "false"
        # Larger disks have blocks of 4 KiB. SQLite writes one byte in each 4 KiB of what it maps, lest a
        # write into a hole end the process by SIGBUS; smaller blocks leave holes.
        block = "1024" if request.param.endswith("1 KiB") else "4096"
        words: list[str | Path] = [found, "-q", "-m", "0", "-b", block, image]
        made = subprocess.run(words, capture_output=True, check=False)
        command = ["mount", "-o", "loop", str(image), str(place)] if not made.returncode else ["false"]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip(f"no {request.param} can be mounted here")
    place.chmod(0o755)
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def fill(disk: Path) -> None:
    """Take all room there is, in ever smaller pieces: to the last block."""
    for size in (1 << 20, 1 << 16, 4096, 1024):
        with (disk / f"filler-{size}").open("wb", buffering=0) as stream:
            try:
                while stream.write(b"x" * size) == size:
                    pass
            except OSError:
                continue


@pytest.fixture
def full(disk: Path) -> Path:
    """A root with two objects, one of them dead, and no reserve."""
    root = disk / "root"
    for name in ("kept", "dead"):
        (disk / name).mkdir()
        for number in range(40):
            (disk / name / str(number)).write_bytes(os.urandom(8000))
    denizen(root, "store", "add", disk / "kept", "--add-root", root / "link")
    denizen(root, "store", "add", disk / "dead")
    (root / "data/store/.denizen/reserve").unlink()
    fill(disk)
    assert is_full(os.fsencode(disk))
    return root


def test_a_collection_works_without_a_reserve(full: Path) -> None:
    (kept,) = [line for line in lines(full, "store", "list") if line.endswith("-kept")]
    denizen(full, "gc")
    assert lines(full, "store", "list") == [kept]
    assert b"nothing is wrong" in denizen(full, "store", "verify", "--contents").stderr
    denizen(full, "store", "add", "/etc/hostname")


def test_a_collection_works_where_the_database_gives_back_room_when_it_fails(disk: Path) -> None:
    """Its log goes with the connection that could not write to it; then the disk is full no more."""
    root = disk / "root"
    for number in range(8):
        (disk / str(number)).write_bytes(bytes([number]) * 20_000)
        denizen(root, "store", "add", disk / str(number))
    (root / "data/store/.denizen/reserve").unlink()
    fill(disk)
    denizen(root, "gc")
    assert lines(root, "store", "list") == []


@pytest.mark.parametrize(
    "words", [["store", "list"], ["store", "verify", "--contents"], ["store", "roots"], ["gc", "--dry-run"]]
)
def test_what_only_reads_works(full: Path, words: list[str]) -> None:
    denizen(full, *words)


@pytest.mark.parametrize(
    "words", [["store", "add", "/usr/bin/env"], ["store", "optimise"], ["run", "/bin/true"]]
)
def test_what_needs_room_says_that_there_is_none(full: Path, words: list[str]) -> None:
    command = [sys.executable, "-m", "denizen", "--root", os.fspath(full), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "internal error" not in done.stderr
    if words[1] != "add" and not done.returncode:
        return  # a directory may have room for another name, and what the host starts needs no decision
    assert done.returncode == 125
    assert "No space left on device" in done.stderr


def test_without_a_store_there_is_nothing_to_collect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fsencode(tmp_path))

    monkeypatch.setattr("denizen.store.local._create", full)
    with pytest.raises(DiskFailed) as caught:
        Store.create(os.fsencode(tmp_path / "store"))
    assert caught.value.remedy == "make room, or keep denizen's files elsewhere: --root DIR"
