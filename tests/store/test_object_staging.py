import io
import os
import stat
from pathlib import Path

import pytest

from denizen.bytesio import Truncated
from denizen.formats.file_tree import Directory, Entry, File, Symlink
from denizen.formats.storepath import BadObjectName, StorePath, for_output
from denizen.nar.reader import BadNar
from denizen.store import commit
from denizen.store.collection.collector import collect
from denizen.store.collection.deletion_order import Limits
from denizen.store.errors import DiskFailed
from denizen.store.local import Store
from denizen.store.object_errors import NoStore, NotAStore, NotValid, ReferenceGone, WrongContent
from denizen.store.object_info import ObjectInfo
from denizen.store.trees.nar_hashing import digest_stream
from denizen.store.trees.tree_reader import NotStorable, entries
from denizen.store.upkeep.verification import verify
from tests.support.generated_trees import file, nar, settled
from tests.support.stores import add_text, make_store, make_tree, on_disk

FILES = {"bin/run*": "#!/bin/sh\n", "share/doc": "words", "empty": ""}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(tmp_path / "store")


def output(store: Store, name: str) -> StorePath:
    return for_output(name, "out", bytes(32), store.layout.logical)


def promised(store: Store, name: str, archive: bytes, references: tuple[StorePath, ...] = ()) -> ObjectInfo:
    digest = digest_stream(io.BytesIO(archive))
    return ObjectInfo(output(store, name), digest.nar_hash, digest.nar_size, references)


def everything_in(store: Store) -> list[str]:
    return sorted(set(os.listdir(os.fsdecode(store.layout.physical))) - {".denizen"})


def test_an_added_tree_is_read_only_dated_and_without_setuid(store: Store, tmp_path: Path) -> None:
    source = make_tree(tmp_path / "source", FILES)
    (source / "link").symlink_to("nowhere")
    (source / "bin/run").chmod(0o6755)
    with store.working() as work:
        info = work.add(os.fsencode(source), "source")
    for path in (on_disk(store, info), *on_disk(store, info).rglob("*")):
        facts = path.lstat()
        assert facts.st_mtime_ns == 1_000_000_000, path
        if not path.is_symlink():
            executable = path.is_dir() or path.name == "run"
            assert stat.S_IMODE(facts.st_mode) == (0o555 if executable else 0o444), path
    assert settled(entries(os.fsencode(source))) == settled(entries(store.place_of(info.path)))


def test_adding_twice_adds_once_and_the_path_depends_on_the_content_alone(
    store: Store, tmp_path: Path
) -> None:
    source = make_tree(tmp_path / "source", FILES)
    with store.working() as work:
        first = work.add(os.fsencode(source), "source")
        again, both = work.add_all([(os.fsencode(source), "source")] * 2)
        other = work.add(os.fsencode(source), "other")
    assert first == again == both
    assert other.path != first.path
    assert everything_in(store) == sorted([first.path.base, other.path.base])


def test_what_is_there_already_waits_for_no_disk(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_tree(tmp_path / "source", FILES)
    with store.working() as work:
        first = work.add(os.fsencode(source), "source")
        monkeypatch.setattr(commit, "sync", lambda _: pytest.fail("synced"))
        assert work.add(os.fsencode(source), "source") == first
        monkeypatch.undo()
        # Registered and taken away: it has to be made again.
        taken = store.place_of(first.path)
        os.rename(taken, taken + b".away")
        assert work.add(os.fsencode(source), "source").path == first.path
        assert os.path.isdir(taken)


def test_references_are_what_is_mentioned_and_valid(store: Store, tmp_path: Path) -> None:
    leaf = add_text(store, tmp_path / "s", "leaf", "x")
    middle = add_text(store, tmp_path / "s", "middle", f"../{leaf.path}/x")
    top = add_text(store, tmp_path / "s", "top", f"{middle.path} {'0' * 32}-absent")
    assert (leaf.references, middle.references) == ((), (leaf.path,))
    assert top.references == (middle.path,)
    assert store.closure([top.path]) == sorted([leaf.path, middle.path, top.path])
    assert store.referrers(leaf.path) == [middle.path]
    assert store.info(middle.path) == middle


def test_links_inside_objects_count_as_mentions(store: Store, tmp_path: Path) -> None:
    leaf = add_text(store, tmp_path / "s", "leaf", "x")
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "l").symlink_to(f"../{leaf.path}")
    with store.working() as work:
        assert work.add(os.fsencode(tmp_path / "links"), "links").references == (leaf.path,)


def test_an_object_may_mention_itself(store: Store) -> None:
    path = output(store, "selfish")
    content = path.base.encode()
    with store.working() as work:
        info = work.add_entries([file(b"", content)], path, [])
    assert info.references == (path,)
    assert store.closure([path]) == [path]


def test_a_builders_tree_is_adopted_canonical(store: Store, tmp_path: Path) -> None:
    path = output(store, "built")
    outside = tmp_path / "outside"
    outside.write_text("shared")
    with store.working() as work, work.building(path) as done:
        assert not done
        tree = Path(os.fsdecode(work.new_tree()))
        make_tree(tree, FILES)
        (tree / "hard").hardlink_to(outside)
        (tree / "bin").chmod(0o500)
        info = work.adopt(os.fsencode(tree), path, [])
    assert list(verify(store, contents=True)) == []
    # Writing through the other name must not reach the object.
    outside.write_text("changed")
    assert (on_disk(store, info) / "hard").read_text() == "shared"
    with store.working() as work, work.building(path) as done:
        assert done


def test_a_tree_that_was_not_adopted_goes_with_the_operation(store: Store) -> None:
    with store.working() as work:
        Path(os.fsdecode(work.new_tree())).mkdir()
    assert everything_in(store) == []


@pytest.mark.parametrize(
    "make", [os.mkfifo, lambda p: os.mknod(p, stat.S_IFSOCK | 0o600)], ids=["fifo", "socket"]
)
def test_what_no_object_can_hold_is_refused_whole(store: Store, tmp_path: Path, make: object) -> None:
    source = make_tree(tmp_path / "source", FILES)
    assert callable(make)
    make(source / "odd")
    with store.working() as work, pytest.raises(NotStorable, match="odd"):
        work.add(os.fsencode(source), "source")
    assert everything_in(store) == []


def test_a_name_no_path_can_have_is_refused(store: Store, tmp_path: Path) -> None:
    with store.working() as work, pytest.raises(BadObjectName):
        work.add(os.fsencode(make_tree(tmp_path / "s", FILES)), "a name")


def test_a_source_that_is_not_there_is_said_to_be(store: Store, tmp_path: Path) -> None:
    with store.working() as work, pytest.raises(DiskFailed, match="No such file"):
        work.add(os.fsencode(tmp_path / "absent"), "absent")


def test_an_archive_with_the_promised_hash_becomes_valid(store: Store) -> None:
    archive = nar(Directory(b""), file(b"a", b"x"), Symlink(b"b", b"a"))
    info = promised(store, "fine", archive)
    with store.working() as work:
        work.add_nar(lambda: io.BytesIO(archive), info)
    assert store.info(info.path).nar_hash == info.nar_hash
    assert list(verify(store, contents=True)) == []


def test_an_archive_with_another_hash_is_not_unpacked(store: Store) -> None:
    archive = nar(Directory(b""), file(b"a", b"x"))
    info = promised(store, "other", archive + b"\0" * 8)
    with store.working() as work:
        with pytest.raises(WrongContent, match="nothing was unpacked"):
            work.add_nar(lambda: io.BytesIO(archive), info)
        assert everything_in(store) == []
    assert not store.is_valid(info.path)


def _string(content: bytes) -> bytes:
    return len(content).to_bytes(8, "little") + content + bytes(-len(content) % 8)


def _nar_of(names: list[bytes], inner: bytes | None = None) -> bytes:
    words = [b"nix-archive-1", b"(", b"type", b"directory"]
    whole = b"".join(map(_string, words))
    regular = b"".join(map(_string, [b"(", b"type", b"regular", b"contents", b"x", b")"]))
    for name in names:
        whole += b"".join(map(_string, [b"entry", b"(", b"name", name, b"node"]))
        whole += (regular if inner is None else inner) + _string(b")")
    return whole + _string(b")")


LINK = b"".join(map(_string, [b"(", b"type", b"symlink", b"target", b"/tmp", b")"]))
HOSTILE = {
    "dot-dot": _nar_of([b".."]),
    "slash": _nar_of([b"a/b"]),
    "absolute": _nar_of([b"/etc/x"]),
    "nul": _nar_of([b"a\0b"]),
    "empty": _nar_of([b""]),
    "twice": _nar_of([b"a", b"a"]),
    "unsorted": _nar_of([b"b", b"a"]),
    "link-then-same-name": _nar_of([b"a", b"a"], LINK),
    "long-name": _nar_of([b"a" * 300]),
    "trailing": _nar_of([b"a"]) + b"\0" * 8,
    "deep": b"".join(map(_string, [b"nix-archive-1"]))
    + b"".join(map(_string, [b"(", b"type", b"directory", b"entry", b"(", b"name", b"d", b"node"])) * 10_000,
    "lying-size": _nar_of([b"a"]).replace(_string(b"x"), (2**62).to_bytes(8, "little") + b"x" * 8),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_archive_leaves_nothing_even_with_the_promised_hash(
    store: Store, tmp_path: Path, kind: str
) -> None:
    outside = sorted(os.listdir(tmp_path))
    info = promised(store, "hostile", HOSTILE[kind])
    # No disk has room for a file of 4 EiB, which is known before it is found missing.
    refused = DiskFailed if kind == "lying-size" else (BadNar, Truncated)
    with store.working() as work, pytest.raises(refused):
        work.add_nar(lambda: io.BytesIO(HOSTILE[kind]), info)
    assert everything_in(store) == []
    assert not store.is_valid(info.path)
    assert sorted(os.listdir(tmp_path)) == outside
    assert list(verify(store, contents=True)) == []


def test_an_archive_cut_at_any_byte_leaves_nothing(store: Store) -> None:
    archive = nar(Directory(b""), file(b"a", b"content"), Symlink(b"b", b"a"))
    with store.working() as work:
        for size in range(len(archive)):
            cut = archive[:size]
            with pytest.raises((BadNar, Truncated)):
                work.add_nar(lambda cut=cut: io.BytesIO(cut), promised(store, "cut", cut))  # type: ignore[misc]  # bound now
    assert everything_in(store) == []
    assert store.database.paths() == []


def test_an_archive_that_references_what_is_not_here_is_refused(store: Store) -> None:
    archive = nar(file(b"", b"x"))
    gone = output(store, "gone")
    with store.working() as work, pytest.raises(ReferenceGone, match="gone"):
        work.add_nar(lambda: io.BytesIO(archive), promised(store, "needy", archive, (gone,)))
    assert everything_in(store) == []


def test_what_an_operation_added_or_needs_outlives_a_collection(store: Store, tmp_path: Path) -> None:
    needed = add_text(store, tmp_path / "s", "needed", "x")
    source = make_tree(tmp_path / "source", FILES)
    with store.working() as work:
        assert work.need([needed.path, output(store, "absent")]) == {needed.path}
        added = work.add(os.fsencode(source), "source")
        collect(store, Limits())
        assert set(store.database.paths()) == {needed.path, added.path}
    collect(store, Limits())
    assert store.database.paths() == []


def test_a_complete_object_a_killed_addition_left_is_replaced(store: Store, tmp_path: Path) -> None:
    first = add_text(store, tmp_path / "s", "a", "content")
    store.database.forget([1])
    on_disk(store, first).chmod(0o644)
    on_disk(store, first).write_text("something else was left there")
    assert add_text(store, tmp_path / "s", "a", "content").path == first.path
    assert list(verify(store, contents=True)) == []


def test_questions_about_what_is_not_there_are_errors_that_say_so(store: Store, tmp_path: Path) -> None:
    absent = output(store, "absent")
    for ask in (store.info, store.referrers, lambda path: store.closure([path])):
        with pytest.raises(NotValid, match="absent"):
            ask(absent)
    with pytest.raises(NoStore):
        Store.open(os.fsencode(tmp_path / "no store"))
    make_tree(tmp_path / "other", FILES)
    with pytest.raises(NotAStore):
        Store.create(os.fsencode(tmp_path / "other"))


def test_paths_follow_from_the_logical_directory_wherever_the_store_is(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "source", FILES)
    added = []
    for name in ("one", "two"):
        with make_store(tmp_path / name, b"/nix/store") as store, store.working() as work:
            added.append(work.add(os.fsencode(source), "source").path)
    assert added[0] == added[1]


def test_entries_out_of_a_nars_order_are_our_defect_and_leave_nothing(store: Store) -> None:
    wrong: list[Entry] = [Directory(b""), File(b"b", executable=False, size=0, content=()), Directory(b"a")]
    with store.working() as work, pytest.raises(Exception, match="sorts behind"):
        work.add_entries(wrong, output(store, "wrong"), [])
    assert everything_in(store) == []


def test_an_object_somebody_took_away_is_not_there_and_can_be_made_again(store: Store) -> None:
    path = output(store, "taken")
    with store.working() as work:
        work.add_entries(iter([file(b"", b"content")]), path, ())
    place = store.place_of(path)
    os.unlink(place)
    with store.working() as work:
        assert work.need([path]) == set()
        work.add_entries(iter([file(b"", b"content")]), path, ())
        assert work.need([path]) == {path}
    assert list(verify(store, contents=True)) == []
    os.unlink(place)
    with store.working() as work, pytest.raises(WrongContent):
        work.add_entries(iter([file(b"", b"another")]), path, ())
