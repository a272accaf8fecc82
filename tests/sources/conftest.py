"""A small archive, and the directory in which a source keeps its lists."""

from pathlib import Path

import pytest

from tests.support.debian_archive import Archive, sample


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    made = Archive(tmp_path / "archive")
    sample(made)
    return made


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    return tmp_path / "lists"
