"""Unlinking trees, whoever owns the process."""

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from denizen.store.remove import MANY, in_shares, remove_tree, remove_trees

NOBODY = 65534


def sealed(tree: Path) -> None:
    """A tree as objects are: nothing in it writable."""
    (tree / "a/b/c").mkdir(parents=True)
    (tree / "a/file").write_bytes(b"x" * 5000)
    (tree / "a/link").symlink_to("/etc")
    for directory, _, _ in os.walk(tree, topdown=False):
        os.chmod(directory, 0o555)


def as_nobody(step: Callable[[], object]) -> int:
    """Exit status of a child that does `step` without root's rights, which pass over modes."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        if not os.geteuid():
            os.setgroups([])
            os.setuid(NOBODY)
        step()
    finally:
        os._exit(1)


def test_read_only_trees_go_for_their_owner_without_rights_over_modes(tmp_path: Path) -> None:
    top = tmp_path / "store"
    sealed(top / "tree")
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


def test_many_trees_free_what_they_took(tmp_path: Path) -> None:
    names = [b"%d" % number for number in range(MANY + 70)]
    for name in names:
        sealed(tmp_path / name.decode())
    one = (tmp_path / "0/a/file").stat().st_blocks * 512
    descriptor = os.open(tmp_path, os.O_RDONLY)
    assert remove_trees(descriptor, names) >= one * len(names)
    os.close(descriptor)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("count", [3, MANY + 1])
def test_each_step_is_done_once_to_each_of_its_names(count: int) -> None:
    one: list[bytes] = []
    other: list[bytes] = []
    names = [b"%d" % number for number in range(count)]
    in_shares((names, one.extend), (names[1:], other.extend))
    assert sorted(one) == sorted(names)
    assert sorted(other) == sorted(names[1:])


def test_a_step_that_fails_is_heard_of_once_nobody_is_at_work_any_more() -> None:
    def fail(_: Sequence[bytes]) -> None:
        raise LookupError

    names = [b"%d" % number for number in range(MANY)]
    before = threading.active_count()
    with pytest.raises(LookupError):
        in_shares((names, lambda _: None), (names, fail))
    assert threading.active_count() == before
