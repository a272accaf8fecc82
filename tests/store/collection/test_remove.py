"""Unlinking trees, whoever owns the process."""

import contextlib
import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from denizen.store.collection.remove import remove_tree
from tests.support.generated_trees import NOBODY, as_nobody, make_sealed_tree


def test_read_only_trees_go_for_their_owner_without_rights_over_modes(tmp_path: Path) -> None:
    top = tmp_path / "store"
    make_sealed_tree(top / "tree")
    if not os.geteuid():
        for directory, names, files in os.walk(top):
            for name in (".", *names, *files):
                os.chown(os.path.join(directory, name), NOBODY, NOBODY, follow_symlinks=False)
    mode = top.stat().st_mode
    descriptor = os.open(top, os.O_RDONLY)

    def remove() -> None:
        os._exit(0 if remove_tree(descriptor, b"tree") >= 5000 else 3)

    assert as_nobody(remove) == 0
    os.close(descriptor)
    assert list(top.iterdir()) == []
    assert top.stat().st_mode == mode


def test_what_is_linked_to_is_not_followed_and_not_missed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/file").write_bytes(b"kept")
    (tmp_path / "link").symlink_to("elsewhere")
    descriptor = os.open(tmp_path, os.O_RDONLY)
    remove_tree(descriptor, b"link")
    remove_tree(descriptor, b"never was")
    os.close(descriptor)
    assert sorted(os.listdir(tmp_path)) == ["elsewhere"]
    assert (tmp_path / "elsewhere/file").read_bytes() == b"kept"


@pytest.mark.parametrize(("depth", "descriptors"), [(2100, None), (300, 6)])
def test_directories_in_one_another_beyond_all_limits_go(
    tmp_path: Path, depth: int, descriptors: int | None
) -> None:
    (tmp_path / "tree").mkdir()
    place = os.open(tmp_path / "tree", os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=place)
        below = os.open("d", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = below
    os.close(place)
    descriptor = os.open(tmp_path, os.O_RDONLY)
    with _descriptors_left(descriptors):
        remove_tree(descriptor, b"tree")
    os.close(descriptor)
    assert list(tmp_path.iterdir()) == []


@contextlib.contextmanager
def _descriptors_left(number: int | None) -> Iterator[None]:
    """Leave this process so many numbers above its highest descriptor; None: as many as it may have."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(map(int, os.listdir("/proc/self/fd")))
    # The gaps below the highest are closed, so that they are not counted as room.
    taken: list[int] = []
    while not taken or taken[-1] < highest:
        taken.append(os.open("/dev/null", os.O_RDONLY))
    try:
        if number is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (taken[-1] + 1 + number, before[1]))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        for one in taken:
            os.close(one)
