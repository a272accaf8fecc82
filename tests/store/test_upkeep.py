"""Verifying, repairing, rebuilding, linking, moving."""

import errno
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from denizen.store.binary_cache import export, replacement_from
from denizen.store.collection import gc_roots
from denizen.store.collection.collector import collect, explain
from denizen.store.collection.deletion_order import Limits
from denizen.store.database_file import DatabaseDamaged
from denizen.store.errors import DiskFailed
from denizen.store.local import Store
from denizen.store.locks import store_lock
from denizen.store.upkeep import move as upkeep_move
from denizen.store.upkeep import verification
from denizen.store.upkeep.move import StoreInUse, move
from denizen.store.upkeep.optimise import optimise
from denizen.store.upkeep.rebuild import Rebuilt, rebuild
from denizen.store.upkeep.verification import Fault, repair, verify
from tests.support.read_only_trees import delete, overwrite
from tests.support.stores import add_text, make_store, make_tree, on_disk

nothing = replacement_from(None)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(tmp_path / "store")


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    return tmp_path / "scratch"


def rebuilt(store: Store) -> Rebuilt:
    with store_lock(store.layout):
        return rebuild(store.layout)


def faults(store: Store) -> list[Fault]:
    return [problem.fault for problem in verify(store, contents=True)]


def test_each_kind_of_damage_is_found(store: Store, scratch: Path) -> None:
    content, mode, missing, sidecar = (
        add_text(store, scratch, n, n) for n in ("content", "mode", "missing", "sidecar")
    )
    on_disk(store, content).chmod(0o644)
    overwrite(on_disk(store, content), "changed")
    on_disk(store, mode).chmod(0o644)
    on_disk(store, missing).unlink()
    os.unlink(store.layout.sidecar_of(sidecar.path))
    found = {p.path.name: p.fault for p in verify(store, contents=True) if p.path}
    assert found == {
        "content": Fault.CONTENT,
        "mode": Fault.METADATA,
        "missing": Fault.MISSING,
        "sidecar": Fault.SIDECAR,
    }


@pytest.mark.parametrize("step", ["content_differs", "is_canonical", "_sidecar_differs"])
def test_an_object_that_is_collected_while_it_is_looked_at_has_no_fault(
    store: Store, scratch: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    add_text(store, scratch, "goes", "words")
    looked = getattr(verification, step)

    def collected_first(*arguments: object) -> object:
        collect(store, Limits())
        return looked(*arguments)

    monkeypatch.setattr(verification, step, collected_first)
    assert faults(store) == []


def test_what_can_be_repaired_is(store: Store, scratch: Path, tmp_path: Path) -> None:
    infos = [add_text(store, scratch, name, name) for name in ("content", "mode", "missing", "sidecar")]
    for info in infos:
        export(store, info, os.fsencode(tmp_path / "cache"), None)
    content, mode, missing, sidecar = infos
    overwrite(on_disk(store, content), "changed")
    on_disk(store, mode).chmod(0o644)
    on_disk(store, missing).unlink()
    os.truncate(store.layout.sidecar_of(sidecar.path), 10)
    without = [repair(store, problem, nothing) for problem in verify(store, contents=True)]
    assert [p.path.name for p in without if p.path and not p.repaired] == sorted(
        ["content", "missing"], key=lambda name: next(i.path for i in infos if i.path.name == name)
    )
    cache = replacement_from(os.fsencode(tmp_path / "cache"))
    assert all(repair(store, problem, cache).repaired for problem in verify(store, contents=True))
    assert faults(store) == []


def test_the_database_is_rebuilt_with_everything_it_knew(store: Store, scratch: Path) -> None:
    leaf = add_text(store, scratch, "leaf", "x")
    add_text(store, scratch, "top", f"{leaf.path}")
    before = list(store.database.infos())
    shutil.rmtree(os.path.realpath(store.layout.database))
    store.close()
    with pytest.raises(DatabaseDamaged, match="not there"):
        store.database.paths()
    assert rebuilt(store) == Rebuilt(2, ())
    assert list(store.database.infos()) == before


def test_a_damaged_database_is_said_to_be_and_rebuilt(store: Store, scratch: Path) -> None:
    add_text(store, scratch, "leaf", "x")
    store.close()
    file = Path(os.fsdecode(store.layout.database)) / "objects.sqlite"
    file.write_bytes(b"not a database, but something else " * 100)
    with pytest.raises(DatabaseDamaged):
        store.database.paths()
    rebuilt(store)
    assert [path.name for path in store.database.paths()] == ["leaf"]


def test_an_open_store_notices_that_another_process_rebuilt_its_database(store: Store, scratch: Path) -> None:
    add_text(store, scratch, "one", "1")
    with Store.open(store.layout.physical) as other:
        rebuilt(other)
    add_text(store, scratch, "two", "2")
    with Store.open(store.layout.physical) as other:
        assert sorted(path.name for path in other.database.paths()) == ["one", "two"]


def test_what_cannot_be_rebuilt_is_told_with_what_depends_on_it(store: Store, scratch: Path) -> None:
    leaf = add_text(store, scratch, "leaf", "x")
    top = add_text(store, scratch, "top", f"{leaf.path}")
    os.unlink(store.layout.sidecar_of(leaf.path))
    done = rebuilt(store)
    assert done.registered == 0
    assert {path: reason.split()[0] for path, reason in done.left_out} == {leaf.path: "it", top.path: "it"}


def test_identical_files_become_one(store: Store, tmp_path: Path) -> None:
    files = {"a": "same" * 5000, "b": "same" * 5000, "c*": "same" * 5000, "d": "other"}
    with store.working() as work:
        one, two = (
            work.add(os.fsencode(make_tree(tmp_path / name, files | {"own": name})), name) for name in "xy"
        )
    saved = optimise(store, one.path) + optimise(store, two.path)
    assert saved.files == 5
    inodes = {(on_disk(store, info) / name).stat().st_ino for info in (one, two) for name in "ab"}
    assert len(inodes) == 1
    assert (on_disk(store, one) / "c").stat().st_ino not in inodes
    assert faults(store) == []
    collect(store, Limits())
    assert os.listdir(store.layout.links) == []


def test_a_rotten_file_is_never_linked_to_and_its_repair_breaks_the_link(
    store: Store, tmp_path: Path
) -> None:
    files = {"a": "content" * 1000}
    with store.working() as work:
        one = work.add(os.fsencode(make_tree(tmp_path / "x", files)), "one")
        two = work.add(os.fsencode(make_tree(tmp_path / "x", files)), "two")
        for info in (one, two):
            export(store, info, os.fsencode(tmp_path / "cache"), None)
        optimise(store, one.path)
        optimise(store, two.path)
        overwrite(on_disk(store, one) / "a", "rotten!" * 1000)
        assert faults(store) == [Fault.CONTENT, Fault.CONTENT]
        cache = replacement_from(os.fsencode(tmp_path / "cache"))
        first = next(p for p in verify(store, contents=True) if p.path == one.path)
        assert repair(store, first, cache).repaired
        # The other still shares the rotten inode; the repaired one does not.
        assert faults(store) == [Fault.CONTENT]
        optimise(store, one.path)
        assert (on_disk(store, one) / "a").read_text() == "content" * 1000


@pytest.fixture
def linked(store: Store, scratch: Path, tmp_path: Path) -> Path:
    """A store whose object is reached through an indirect root; the root's link."""
    leaf = add_text(store, scratch, "leaf", "x")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "link").symlink_to(f"../{leaf.path}")
    with store.working() as work:
        top = work.add(os.fsencode(tmp_path / "tree"), "top")
        gc_roots.add_indirect(store.layout, os.fsencode(tmp_path / "result"), top.path)
        gc_roots.add_link(store.layout, b"direct", leaf.path)
    return tmp_path / "result"


def test_a_moved_store_works_and_so_do_the_links_into_it(store: Store, linked: Path, tmp_path: Path) -> None:
    logical = store.layout.logical
    moved = move(store, os.fsencode(tmp_path / "elsewhere" / "store"))
    assert (moved.astray, moved.store.layout.logical) == ((), logical)
    assert (linked / "link").read_text() == "x"
    assert not (tmp_path / "store").exists()
    assert faults(moved.store) == []
    collect(moved.store, Limits())
    assert sorted(path.name for path in moved.store.database.paths()) == ["leaf", "top"]


def test_a_store_moves_to_another_file_system(store: Store, linked: Path, tmp_path: Path) -> None:
    disk = Path("/dev/shm")  # the other file system every Linux has
    if not disk.is_dir() or disk.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system here")
    target = disk / f"denizen-test-{os.getpid()}"
    before = list(store.database.infos())
    try:
        moved = move(store, os.fsencode(target)).store
        assert list(moved.database.infos()) == before
        assert faults(moved) == []
        assert (linked / "link").read_text() == "x"
        assert {root.kind for root, _ in explain(moved)} == {"link", "indirect"}
        assert not (tmp_path / "store").exists()
        moved.close()
    finally:
        delete(target)


def test_a_copy_that_fails_leaves_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a disk that is full, which has its room again."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(upkeep_move, "_copy_roots", full)
    target = tmp_path / "other" / "store"
    target.parent.mkdir()
    with pytest.raises(OSError, match="No space"):
        upkeep_move._copy(store, os.fsencode(target), lambda _: None, back=False)  # the same disk is renamed
    assert list(target.parent.iterdir()) == []
    assert faults(store) == []


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="no /proc here")
def test_where_no_directory_can_be_made_is_an_error(store: Store) -> None:
    with pytest.raises(DiskFailed):
        move(store, b"/proc/there/is/no/such/place")
    assert faults(store) == []


def test_a_plain_copy_is_a_store(store: Store, linked: Path, tmp_path: Path) -> None:
    store.close()
    subprocess.run(["cp", "-a", tmp_path / "store", tmp_path / "copy"], check=True)
    delete(tmp_path / "store")
    linked.unlink()
    with Store.open(os.fsencode(tmp_path / "copy")) as copy:
        assert faults(copy) == []
        (top,) = [path for path in copy.database.paths() if path.name == "top"]
        assert (Path(os.fsdecode(copy.place_of(top))) / "link").read_text() == "x"


def test_a_store_at_work_is_not_moved(store: Store, tmp_path: Path) -> None:
    with store.working(), pytest.raises(StoreInUse):
        move(store, os.fsencode(tmp_path / "elsewhere"))
    assert (tmp_path / "store").exists()


def test_who_waits_for_an_export_hears_of_every_byte(store: Store, scratch: Path, tmp_path: Path) -> None:
    info = add_text(store, scratch, "text", "words" * 100_000)
    heard: list[int] = []
    export(store, info, os.fsencode(tmp_path / "cache"), None, heard.append)
    assert sum(heard) == info.nar_size
