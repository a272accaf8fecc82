"""The connection that a command leaves open: the next database of the file has it, and nobody else."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from denizen.store.kept_connection import release
from denizen.store.local import Store
from denizen.store.upkeep.rebuild import rebuild
from tests.support.peers import require
from tests.support.stores import add_text, make_store

# A command: it registers an object, closes the store, and ends as `cli.main.leave` does.
COMMAND = """
import os, sys
from denizen.store.local import Store
with Store.open(os.fsencode(sys.argv[1]), short_lived=True) as store, store.working() as work:
    work.add_text(sys.argv[2], b"x")
os._exit(0)
"""


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    release()
    yield
    release()


def command(store: Path, name: str, *before: str) -> None:
    subprocess.run([*before, sys.executable, "-c", COMMAND, os.fspath(store), name], check=True)


def short(path: Path) -> Store:
    return Store.open(os.fsencode(path), short_lived=True)


def log_of(path: Path) -> Path:
    return path / ".denizen/db/objects.sqlite-wal"


def names(store: Store) -> list[str]:
    return sorted(path.name for path in store.database.paths())


def test_what_a_command_left_in_the_log_is_there_for_the_next_and_for_others(tmp_path: Path) -> None:
    make_store(tmp_path / "store")
    for name in ("one", "two"):
        command(tmp_path / "store", name)
        assert log_of(tmp_path / "store").stat().st_size > 0
    with Store.open(os.fsencode(tmp_path / "store")) as store:
        assert names(store) == ["one", "two"]
    assert not log_of(tmp_path / "store").exists(), "the last one closes the log"


@pytest.mark.peer
def test_a_registration_costs_a_command_one_sync_of_the_log_and_none_of_the_database(tmp_path: Path) -> None:
    require("strace")
    make_store(tmp_path / "store")
    command(tmp_path / "store", "first")
    told = tmp_path / "told"
    command(tmp_path / "store", "second", "strace", "-y", "-o", str(told), "-e", "trace=fsync,fdatasync")
    synced = [
        line.partition("<")[2].partition(">")[0] for line in told.read_text().splitlines() if "<" in line
    ]
    # SQLite syncs the directory when it has opened the log, as it may have made it.
    assert [os.path.basename(place) for place in synced if "/db-" in place][:1] == ["objects.sqlite-wal"]
    assert not [place for place in synced if place.endswith("objects.sqlite")]


def test_the_log_is_copied_before_it_takes_long_to_read(tmp_path: Path) -> None:
    make_store(tmp_path / "store").close()
    for number in range(80):
        with short(tmp_path / "store") as store, store.working() as work:
            work.add_text(f"text{number}", b"x")
    assert log_of(tmp_path / "store").stat().st_size < 150 * 4120
    with Store.open(os.fsencode(tmp_path / "store")) as other:
        assert len(names(other)) == 80


def test_a_database_of_another_file_gets_a_connection_of_its_own(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with make_store(tmp_path / name) as made:
            add_text(made, tmp_path / "scratch", name, name)
    for name in ("a", "b", "a"):
        with short(tmp_path / name) as store:
            assert names(store) == [name]


def test_a_rebuilt_database_is_not_read_by_the_old_connection(tmp_path: Path) -> None:
    make_store(tmp_path / "store").close()
    with short(tmp_path / "store") as store:
        add_text(store, tmp_path / "scratch", "gone", "x")
    with Store.open(os.fsencode(tmp_path / "store")) as other, other.locked():
        os.unlink(other.layout.sidecar_of(next(iter(other.database.paths()))))
        rebuild(other.layout)
    with short(tmp_path / "store") as store:
        assert names(store) == []


def test_a_forked_process_has_a_connection_of_its_own(tmp_path: Path) -> None:
    make_store(tmp_path / "store").close()
    with short(tmp_path / "store") as store:
        add_text(store, tmp_path / "scratch", "of-parent", "x")
    child = os.fork()
    if not child:
        status = 1
        try:
            with short(tmp_path / "store") as store:
                add_text(store, tmp_path / "scratch", "of-child", "y")
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    with short(tmp_path / "store") as store:
        assert names(store) == ["of-child", "of-parent"]


def test_a_store_that_is_moved_has_no_connection_open(tmp_path: Path) -> None:
    make_store(tmp_path / "store").close()
    with short(tmp_path / "store") as store:
        add_text(store, tmp_path / "scratch", "one", "x")
        store.disconnect()
        assert not log_of(tmp_path / "store").exists()
    os.rename(tmp_path / "store", tmp_path / "moved")
    with short(tmp_path / "moved") as store:
        assert names(store) == ["one"]
