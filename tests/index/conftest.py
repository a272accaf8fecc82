"""An archive with indexes, for the tests of updates."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.indexed_archives import IndexedArchive


@pytest.fixture
def indexed(tmp_path: Path) -> Iterator[IndexedArchive]:
    made = IndexedArchive(tmp_path)
    with made.server:
        yield made
