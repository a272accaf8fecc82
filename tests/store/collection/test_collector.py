import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.store.collection import gc_roots
from denizen.store.collection.collector import collect, explain, plan, why_alive
from denizen.store.collection.deletion_order import Limits, choose
from denizen.store.collection.graph import Graph, reachable
from denizen.store.collection.processes import held_by_processes
from denizen.store.collection.root_search import RootUnreadable
from denizen.store.database import Database
from denizen.store.local import Store
from denizen.store.locks import StoreSession
from denizen.store.upkeep.verification import verify
from tests.support.peers import require
from tests.support.processes import wait_until
from tests.support.stores import add_text, make_store, on_disk


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(tmp_path / "store")


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    return tmp_path / "scratch"


def names(store: Store) -> list[str]:
    return sorted(path.name for path in store.database.paths())


def test_what_a_root_reaches_is_kept_and_the_rest_goes(store: Store, scratch: Path) -> None:
    leaf = add_text(store, scratch, "leaf", "x")
    top = add_text(store, scratch, "top", f"{leaf.path}")
    add_text(store, scratch, "dead", f"{leaf.path} too")
    gc_roots.add_link(store.layout, b"top", top.path)
    would = plan(store, Limits())
    assert ([path.name for path in would.deleted], would.alive) == (["dead"], 2)
    assert names(store) == ["dead", "leaf", "top"]
    done = collect(store, Limits())
    assert done.deleted == would.deleted
    assert done.freed > 0
    assert names(store) == ["leaf", "top"]
    assert list(verify(store, contents=True)) == []


def test_a_closure_is_deleted_once_its_root_goes(store: Store, scratch: Path) -> None:
    leaf = add_text(store, scratch, "leaf", "x")
    top = add_text(store, scratch, "top", f"{leaf.path}")
    link = gc_roots.add_link(store.layout, b"top", top.path)
    os.unlink(link)
    assert [path.name for path in collect(store, Limits()).deleted] == ["top", "leaf"]
    assert os.listdir(os.fsdecode(store.layout.physical)) == [".denizen"]


def test_an_indirect_root_that_is_removed_leaves_nothing_behind(
    store: Store, scratch: Path, tmp_path: Path
) -> None:
    kept = add_text(store, scratch, "kept", "x")
    result = os.fsencode(tmp_path / "result")
    gc_roots.add_indirect(store.layout, result, kept.path)
    for _ in range(2):
        gc_roots.remove_indirect(store.layout, result)
    assert not os.path.lexists(result)
    assert os.listdir(store.layout.indirect) == []
    assert [path.name for path in collect(store, Limits()).deleted] == ["kept"]


def test_an_indirect_root_lasts_as_long_as_the_link_elsewhere(
    store: Store, scratch: Path, tmp_path: Path
) -> None:
    kept = add_text(store, scratch, "kept", "x")
    result = tmp_path / "result"
    gc_roots.add_indirect(store.layout, os.fsencode(result), kept.path)
    assert result.read_text() == "x"
    collect(store, Limits())
    assert names(store) == ["kept"]
    result.unlink()
    collect(store, Limits())
    assert names(store) == []
    assert os.listdir(store.layout.indirect) == []


def test_a_profile_keeps_its_generations(store: Store, scratch: Path) -> None:
    one = add_text(store, scratch, "one", "1")
    two = add_text(store, scratch, "two", "2")
    profiles = Path(os.fsdecode(store.layout.profiles))
    (profiles / "me").mkdir()
    for number, info in enumerate((one, two), start=1):
        (profiles / "me" / f"default-{number}-link").symlink_to(f"../../../{info.path}")
    (profiles / "me" / "default").symlink_to("default-2-link")
    collect(store, Limits())
    assert names(store) == ["one", "two"]
    (profiles / "me" / "default-1-link").unlink()
    collect(store, Limits())
    assert names(store) == ["two"]


def test_roots_say_why_a_thing_lives(store: Store, scratch: Path) -> None:
    leaf = add_text(store, scratch, "leaf", "x")
    top = add_text(store, scratch, "top", f"{leaf.path}")
    place = gc_roots.add_link(store.layout, b"mine", top.path)
    ((root, chain),) = why_alive(store, leaf.path)
    assert (root.kind, root.place, chain) == ("link", place, (top.path, leaf.path))
    assert [(root.place, path) for root, path in explain(store)] == [(place, top.path)]


def test_a_root_that_cannot_be_read_stops_the_collection(
    store: Store, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_text(store, scratch, "maybe", "x")
    (Path(os.fsdecode(store.layout.gcroots)) / "odd").symlink_to("/some/where")
    readlink = os.readlink

    def failing(path: bytes) -> bytes:
        if path.endswith(b"/odd"):
            raise PermissionError(13, "no")
        return readlink(path)

    monkeypatch.setattr(os, "readlink", failing)
    with pytest.raises(RootUnreadable, match="odd"):
        collect(store, Limits())
    assert names(store) == ["maybe"]


def test_a_directory_of_roots_that_cannot_be_read_stops_the_collection(
    store: Store, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a home on a server that does not answer."""
    add_text(store, scratch, "maybe", "x")
    (Path(os.fsdecode(store.layout.gcroots)) / "away").mkdir()
    listdir = os.listdir

    def failing(path: bytes) -> list[bytes]:
        if os.fsencode(path).endswith(b"/away"):
            raise OSError(5, "no answer")
        return listdir(path)

    monkeypatch.setattr(os, "listdir", failing)
    with pytest.raises(RootUnreadable, match="away"):
        collect(store, Limits())
    assert names(store) == ["maybe"]


def test_links_that_lead_in_a_circle_stop_the_collection(store: Store, scratch: Path) -> None:
    add_text(store, scratch, "maybe", "x")
    gcroots = Path(os.fsdecode(store.layout.gcroots))
    (gcroots / "a").symlink_to("b")
    (gcroots / "b").symlink_to("a")
    with pytest.raises(RootUnreadable):
        collect(store, Limits())
    assert names(store) == ["maybe"]


@pytest.mark.parametrize("way", ["cwd", "fd", "environ", "exe", "maps"])
def test_a_running_process_keeps_what_it_uses(store: Store, tmp_path: Path, way: str) -> None:
    (tmp_path / "tree").mkdir()
    require("sleep")
    with open("/bin/sleep", "rb") as program:
        (tmp_path / "tree" / "sleep").write_bytes(program.read())
    (tmp_path / "tree" / "sleep").chmod(0o755)
    with store.working() as work:
        used = work.add(os.fsencode(tmp_path / "tree"), "used")
    place = on_disk(store, used)
    mapped = f"import mmap,sys; f=open({str(place / 'sleep')!r},'rb'); m=mmap.mmap(f.fileno(),0,prot=1)"
    commands = {
        "cwd": (["sleep", "1000"], place, {}),
        "fd": (["sh", "-c", f"exec sleep 1000 < {shlex.quote(str(place))}/sleep"], None, {}),
        "environ": (["sleep", "1000"], None, {"TOOL": str(place)}),
        "exe": ([str(place / "sleep"), "1000"], None, {}),
        "maps": ([sys.executable, "-c", f"{mapped}; f.close(); import time; time.sleep(1000)"], None, {}),
    }
    command, cwd, more = commands[way]
    with subprocess.Popen(command, cwd=cwd, env=os.environ | more) as process:
        try:
            wait_until(
                lambda: used.path.digest.encode() in held_by_processes([used.path.digest.encode()]).held
            )
            collect(store, Limits())
            assert names(store) == ["used"]
            assert {root.kind for root, _ in explain(store)} == {"process"}
        finally:
            process.kill()
    collect(store, Limits())
    assert names(store) == []


def test_an_operation_of_a_dead_process_keeps_nothing(store: Store, scratch: Path) -> None:
    dead = add_text(store, scratch, "dead", "x")
    session = StoreSession(store.layout)
    with store.locked():
        session.need([dead.path])
    collect(store, Limits())
    assert names(store) == ["dead"]
    # What a kill does: the lock goes, the file stays.
    os.close(session._descriptor)
    (Path(os.fsdecode(store.layout.physical)) / os.fsdecode(session.new_tree())).mkdir()
    assert collect(store, Limits()).deleted == (dead.path,)
    assert os.listdir(os.fsdecode(store.layout.physical)) == [".denizen"]
    assert os.listdir(store.layout.sessions) == []


def test_only_what_is_old_enough_goes_and_what_the_young_need_stays(store: Store, scratch: Path) -> None:
    old = add_text(store, scratch, "old", "x")
    add_text(store, scratch, "young", f"{old.path}")
    lonely = add_text(store, scratch, "lonely", "y")
    now = int(time.time())
    for info in (old, lonely):
        store.database._execute(
            "UPDATE objects SET registered = ? WHERE path = ?", (now - 1000, info.path.base)
        )
    assert collect(store, Limits(registered_before=now - 500)).deleted == (lonely.path,)


def test_no_more_is_freed_than_was_asked_for(store: Store, scratch: Path) -> None:
    for number in range(10):
        add_text(store, scratch, f"n{number}", f"{number}" * 1000)
    size = next(store.database.infos()).nar_size
    assert len(collect(store, Limits(max_freed=3 * size)).deleted) == 3
    assert len(names(store)) == 7


edges = st.dictionaries(st.integers(0, 11), st.lists(st.integers(0, 11), max_size=4), max_size=12)


@given(edges, st.sets(st.integers(0, 11)), st.integers(0, 12), st.integers(0, 14))
def test_a_plan_never_deletes_what_is_live_young_or_still_mentioned(
    drawn: dict[int, list[int]], live: set[int], age: int, freed: int
) -> None:
    graph = Graph(frozenset(range(12)), drawn)
    numbers = {node: node for node in graph.nodes}
    ones = dict.fromkeys(graph.nodes, 1)
    limits = Limits(max_freed=freed, registered_before=age)
    chosen = set(choose(graph, live, sizes=ones, registered=numbers, limits=limits))
    kept = graph.nodes - chosen
    assert chosen.isdisjoint(reachable(drawn, live))
    assert all(node < age for node in chosen)
    assert reachable(drawn, kept) == kept


def test_the_reserve_is_given_up_while_the_database_is_written_and_made_anew(
    store: Store, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_text(store, scratch, "dead", "x")
    collect(store, Limits())
    held: list[bool] = []
    forget = Database.forget

    def noting(self: Database, ids: Iterable[int]) -> None:
        held.append(os.path.exists(store.layout.reserve))
        forget(self, ids)

    monkeypatch.setattr(Database, "forget", noting)
    assert os.path.exists(store.layout.reserve)
    collect(store, Limits())
    assert held == [False]
    assert os.path.exists(store.layout.reserve)


def test_a_full_disk_can_be_collected(tmp_path: Path) -> None:
    require("mount", "umount")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], check=False)
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        with make_store(disk / "store") as store:
            for number in range(50):
                add_text(store, tmp_path / "scratch", f"n{number}", f"{number}" * 5000)
            _fill(disk / "ballast")
            done = collect(store, Limits())
            assert (len(done.deleted), names(store)) == (50, [])
    finally:
        subprocess.run(["umount", disk], check=True)


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as stream:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    stream.write(b"x" * size)
            except OSError:
                continue
