"""Deleting many trees, whoever owns the process and however full the disk is."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from denizen.process_pool import HelperDied
from denizen.store.collection.collector import collect
from denizen.store.collection.deletion_order import Limits
from denizen.store.collection.remove import remove_path, remove_tree
from denizen.store.collection.trash import MANY, Trash
from denizen.store.local import Store
from denizen.store.locks import StoreSession
from tests.support.generated_trees import as_nobody, make_sealed_tree
from tests.support.processes import has_ended, wait_until
from tests.support.stores import make_store

pytestmark = pytest.mark.usefixtures("alone")

# One process does these, several do those.
COUNTS = [3, 4 * MANY + 1]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(tmp_path / "store")


def lay(store: Store, count: int) -> tuple[Path, list[bytes], list[bytes]]:
    """Trees in the store directory, and a file elsewhere for each: the directory, and their names."""
    top = Path(os.fsdecode(store.layout.physical))
    names = [f"tree{number}" for number in range(count)]
    for name in names:
        make_sealed_tree(top / name)
        (top / ".denizen/info" / name).write_text("words")
    return top, [name.encode() for name in names], [name.encode() for name in names]


def delete(store: Store, names: list[bytes], files: list[bytes], told: Callable[[int], None]) -> int:
    """What a collection does."""
    directory = os.open(store.layout.physical, os.O_RDONLY)
    info = os.open(store.layout.info, os.O_RDONLY)
    session = StoreSession(store.layout)
    try:
        with Trash(directory, session, len(names), 0) as rubbish:
            rubbish.fill(names, info, files)
            return rubbish.empty(told)
    finally:
        session.close()
        os.close(info)
        os.close(directory)


def children(process: int) -> set[int]:
    """The processes that the main thread of one has forked."""
    return {int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()}


def left(top: Path) -> list[str]:
    return [*(name for name in os.listdir(top) if name != ".denizen"), *os.listdir(top / ".denizen/info")]


@pytest.mark.parametrize("count", COUNTS)
def test_all_go_free_what_they_took_and_are_told_of(store: Store, count: int) -> None:
    top, names, files = lay(store, count)
    one = (top / "tree0/a/file").stat().st_blocks * 512
    told: list[int] = []
    assert delete(store, names, files, told.append) >= one * count
    assert (left(top), sum(told)) == ([], count)


@pytest.mark.parametrize("count", COUNTS)
def test_what_is_gone_already_is_not_missed(store: Store, count: int) -> None:
    top, names, files = lay(store, count)
    assert delete(store, [b"never was", *names], files, lambda _: None) > 0
    assert left(top) == []


def test_few_trees_with_many_files_are_spread_over_several_members(store: Store) -> None:
    top, names, files = lay(store, 3)
    directory, info = (os.open(place, os.O_RDONLY) for place in (store.layout.physical, store.layout.info))
    session = StoreSession(store.layout)
    with Trash(directory, session, len(names), 100 << 20) as rubbish:
        rubbish.fill(names, info, files)
        assert [os.listdir(top / name) for name in sorted(left(top))] == [["tree0"], ["tree1"], ["tree2"]]
        assert rubbish.empty() > 0
    session.close()
    os.close(directory)
    os.close(info)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("lacking", ["mkdir", "rename"])
def test_without_room_for_another_name_trees_are_unlinked_where_they_are(
    store: Store, monkeypatch: pytest.MonkeyPatch, lacking: str, code: int
) -> None:
    top, names, files = lay(store, COUNTS[1])

    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patched:
        patched.setattr(os, lacking, refuse)
        assert delete(store, names, files, lambda _: None) >= 4096 * len(names)
    assert left(top) == []


@pytest.mark.parametrize("lacking", ["mkdir", "rename"])
def test_any_other_refusal_is_an_error_and_nobody_is_left_at_work(
    store: Store, monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:
    _, names, files = lay(store, COUNTS[1])
    before = children(os.getpid())

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patched:
        patched.setattr(os, lacking, refuse)
        with pytest.raises(OSError, match="Input/output error"):
            delete(store, names, files, lambda _: None)
    assert children(os.getpid()) == before


@pytest.mark.parametrize("count", COUNTS)
def test_read_only_trees_go_for_their_owner_without_rights_over_modes(count: int) -> None:
    with TemporaryDirectory() as place:  # pytest's own is closed to others
        os.chmod(place, 0o777)

        def work() -> None:
            store = make_store(Path(place) / "own")
            top, names, files = lay(store, count)
            assert delete(store, names, files, lambda _: None) > 0
            os._exit(0 if left(top) == [] else 3)

        assert as_nobody(work) == 0


def test_a_member_that_is_killed_is_an_error_that_says_so(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, names, files = lay(store, COUNTS[1])
    test, carry_out = os.getpid(), Trash._do

    def killed(trash: Trash, order: tuple[str, int, tuple[bytes, ...]]) -> int:
        # By itself, in the middle of the work: from outside it may have done all before the signal comes.
        if order[0] == "remove" and os.getpid() != test:
            os.kill(os.getpid(), signal.SIGKILL)
        return carry_out(trash, order)

    monkeypatch.setattr(Trash, "_do", killed)
    with pytest.raises(HelperDied, match="delete from the store"):
        delete(store, names, files, lambda _: None)


SCRIPT = """
import os, sys
from denizen.store.collection.collector import collect
from denizen.store.collection.deletion_order import Limits
from denizen.store.local import Store
from denizen.store.collection.trash import Trash
when = sys.argv[2]
step = getattr(Trash, when)
def cut(*arguments, **words):
    step(*arguments, **words)
    print("now", flush=True)
    sys.stdin.read()
setattr(Trash, when, cut)
collect(Store.open(os.fsencode(sys.argv[1])), Limits())
"""


@pytest.mark.parametrize("when", ["fill", "empty"])
def test_killed_its_crew_ends_too_and_the_next_collection_takes_the_rest(store: Store, when: str) -> None:
    top, _, _ = lay(store, 4 * MANY)
    for number in range(4 * MANY):  # names of objects, so that they are strays
        os.rename(top / f"tree{number}", top / f"{'0' * 29}{number:03d}-tree")
    command: list[str | Path] = [sys.executable, "-c", SCRIPT, top, when]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "now\n"
        pool = children(process.pid)
        assert len(pool) > 1
        process.kill()
    wait_until(lambda: all(has_ended(member) for member in pool))
    collect(store, Limits())
    assert left(top) == []


def test_the_directory_that_trees_are_removed_from_keeps_its_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only directories that go too are made writable: the one above them is somebody's."""
    (tmp_path / "kept").write_text("")
    tmp_path.chmod(0o555)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "unlink", refuse)
    with pytest.raises(PermissionError):
        remove_path(os.fsencode(tmp_path / "kept"))
    assert tmp_path.stat().st_mode & 0o777 == 0o555


def test_a_directory_that_its_owner_cannot_read_goes_too() -> None:
    with TemporaryDirectory() as place:  # pytest's own is closed to others
        os.chmod(place, 0o777)

        def work() -> None:
            tree = Path(place) / "tree"
            (tree / "closed").mkdir(parents=True)
            (tree / "closed/file").write_text("")
            (tree / "closed").chmod(0)
            remove_path(os.fsencode(tree))
            os._exit(3 if tree.exists() else 0)

        assert as_nobody(work) == 0


def test_a_file_that_has_another_link_frees_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 100_000)
    (tmp_path / "link").hardlink_to(tmp_path / "file")
    top = os.open(tmp_path, os.O_RDONLY)
    try:
        assert remove_tree(top, "link") == 0
        assert remove_tree(top, "file") >= 100_000
    finally:
        os.close(top)
