"""Fixtures of hosts that lack something."""

from pathlib import Path

import pytest

from tests.support.hosts import HostDirectories


@pytest.fixture
def directories(tmp_path: Path) -> HostDirectories:
    found = HostDirectories(tmp_path / "root", tmp_path / "programs", tmp_path / "work")
    for room in (found.root, found.programs, found.work):
        room.mkdir()
    return found
