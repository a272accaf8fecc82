"""A change of a profile on a disk without room: it says so, and the profile is what it was."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.denizen_command import denizen, lines

SIZE = 48 * 1024 * 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no tmpfs can be mounted here")
    place.chmod(0o755)
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_an_install_without_room_changes_nothing(disk: Path) -> None:
    root = disk / "root"
    for name in ("one", "two"):
        (disk / name).write_text(f"#!/bin/sh\necho {name}\n")
        (disk / name).chmod(0o755)
    denizen(root, "install", disk / "one")
    before = lines(root, "list")
    with (disk / "filler").open("wb", buffering=0) as filler:
        for size in (1 << 20, 1 << 12):
            try:
                while filler.write(bytes(size)) == size:
                    pass
            except OSError:
                continue
    command = [sys.executable, "-m", "denizen", "--root", os.fspath(root), "install", os.fspath(disk / "two")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 125
    assert "No space left on device" in done.stderr
    assert "internal error" not in done.stderr
    assert lines(root, "list") == before
    assert subprocess.run([root / "state/profiles/profile/bin/one"], capture_output=True, check=True).stdout
    (disk / "filler").unlink()
    denizen(root, "install", disk / "two")
    assert [line.split()[0] for line in lines(root, "list")] == ["one", "two"]
