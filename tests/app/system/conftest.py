"""A directory with files of its own, in which systems are switched."""

from collections.abc import Iterator

import pytest

from tests.support.read_only_trees import delete
from tests.support.syscall_faults import directory_in_memory
from tests.support.system_profiles import SystemHome


@pytest.fixture
def home() -> Iterator[SystemHome]:
    """In memory: a switch waits for the disk some forty times."""
    with directory_in_memory() as directory:
        yield _prepared(SystemHome(directory))
        delete(directory)
        directory.mkdir()


def _prepared(home: SystemHome) -> SystemHome:
    home.target.mkdir(mode=0o755)  # whatever the umask: what others may write to is refused
    home.etc.mkdir()
    (home.etc / "hosts").write_text("theirs")
    (home.etc / "hosts").chmod(0o640)
    (home.target / "zone").write_text("zone")
    (home.etc / "localtime").symlink_to("../zone")
    (home.etc / "gone").write_text("kept")
    return home
