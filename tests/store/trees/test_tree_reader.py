"""From disk to NAR, both ways there are; from entries to disk."""

import errno
import hashlib
import io
import itertools
import os
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from denizen.bytesio import Truncated
from denizen.formats.file_tree import Directory, Entry, File, HardLink, Symlink
from denizen.nar import reader, writer
from denizen.store.trees.canonical import ORDINARY, STORED, RestoreOptions, is_canonical
from denizen.store.trees.dump import BUFFER
from denizen.store.trees.nar_hashing import Digester, digest_tree
from denizen.store.trees.restore import UnsafeEntry, restore, restore_nar, restore_new
from denizen.store.trees.tree_reader import NotStorable, TooDeep, TreeChanged, entries
from tests.support.generated_trees import entries_on_disk, file, nar, settled, trees
from tests.support.processes import open_files
from tests.support.stores import dumped


def written(tmp_path: Path, tree: list[Entry], name: str = "tree") -> Path:
    restore_new(tree, os.fsencode(tmp_path / name))
    return tmp_path / name


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=trees)
def test_what_is_restored_is_what_is_read_and_dumped(
    tmp_path_factory: pytest.TempPathFactory, tree: list[Entry]
) -> None:
    place = written(tmp_path_factory.mktemp("tree"), tree)
    assert settled(entries(os.fsencode(place))) == tree
    assert dumped(place) == nar(*tree)
    assert digest_tree(os.fsencode(place), Digester()).nar_hash == hashlib.sha256(nar(*tree)).digest()
    assert settled(reader.read(io.BytesIO(nar(*tree)))) == entries_on_disk(place)


@pytest.mark.parametrize("size", [BUFFER - 200, BUFFER, BUFFER + 1, 3 * BUFFER + 5])
def test_files_about_as_long_as_the_buffer_are_dumped_whole(tmp_path: Path, size: int) -> None:
    tree: list[Entry] = [
        Directory(b""),
        file(b"a", b"x"),
        file(b"b", os.urandom(size)),
        file(b"c", b"y" * 1000),
    ]
    place = written(tmp_path, tree)
    assert dumped(place) == nar(*tree)
    digest = digest_tree(os.fsencode(place), Digester())
    assert (digest.nar_hash, digest.nar_size) == (hashlib.sha256(nar(*tree)).digest(), len(nar(*tree)))


def test_a_directory_of_many_links_is_dumped_whole(tmp_path: Path) -> None:
    tree: list[Entry] = [Directory(b""), *(Symlink(b"%05d" % n, b"t" * 200) for n in range(12_000))]
    assert dumped(written(tmp_path, tree)) == nar(*tree)


def test_a_file_that_shrinks_while_it_is_read_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "f").write_bytes(b"x" * 100)
    short, shorter = os.read, os.readv
    monkeypatch.setattr(os, "read", lambda fd, size: short(fd, size)[: size // 2])
    with pytest.raises(TreeChanged):
        list(entries(os.fsencode(tmp_path / "f")))
    monkeypatch.setattr(os, "readv", lambda fd, views: min(shorter(fd, views), 0))
    with pytest.raises(TreeChanged):
        dumped(tmp_path / "f")


def test_a_failure_while_digesting_reaches_the_caller(tmp_path: Path) -> None:
    class Failing(Digester):
        def feed(self, piece: object) -> None:
            raise ValueError(piece)

    for size in (10, 3 * BUFFER):
        (tmp_path / "f").write_bytes(bytes(size))
        with pytest.raises(ValueError, match="memory"):
            digest_tree(os.fsencode(tmp_path / "f"), Failing())


def test_what_is_no_file_directory_or_link_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for read in (lambda path: list(entries(path)), lambda path: dumped(Path(os.fsdecode(path)))):
        for top in (tmp_path, tmp_path / "fifo"):
            with pytest.raises(NotStorable, match=re.escape(f"'{tmp_path / 'fifo'}' cannot be stored")):
                read(os.fsencode(top))


def test_a_tree_deeper_than_an_archive_may_be_is_refused(tmp_path: Path) -> None:
    inner = os.open(tmp_path, os.O_RDONLY)
    for _ in range(25):
        os.mkdir(b"d" * 200, dir_fd=inner)
        deeper = os.open(b"d" * 200, os.O_RDONLY, dir_fd=inner)
        os.close(inner)
        inner = deeper
    os.close(inner)
    for read in (lambda: list(entries(os.fsencode(tmp_path))), lambda: dumped(tmp_path)):
        with pytest.raises(TooDeep):
            read()


HOSTILE: dict[str, list[Entry | HardLink]] = {
    "file through a link": [Directory(b""), Symlink(b"a", b"/tmp"), file(b"a/b", b"x")],
    "file through a file": [Directory(b""), file(b"a", b""), file(b"a/b", b"x")],
    "file in no directory": [Directory(b""), file(b"a/b", b"x")],
    "file beside a file": [file(b"", b""), file(b"a", b"x")],
    "file twice": [Directory(b""), file(b"a", b"1"), file(b"a", b"2")],
    "directory over a link": [Directory(b""), Symlink(b"a", b"/tmp"), Directory(b"a")],
    "link over a file": [Directory(b""), file(b"a", b""), Symlink(b"a", b"x")],
    "hard link to a link": [Directory(b""), Symlink(b"a", b"/etc/passwd"), HardLink(b"b", b"a")],
    "hard link through a link": [Directory(b""), Symlink(b"a", b"/etc"), HardLink(b"b", b"a/passwd")],
    "hard link to nothing": [Directory(b""), HardLink(b"b", b"a")],
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_nothing_is_written_through_what_is_no_directory_of_the_tree(tmp_path: Path, kind: str) -> None:
    with pytest.raises(UnsafeEntry):
        restore_new(HOSTILE[kind], os.fsencode(tmp_path / "out"))
    assert os.listdir(tmp_path) == []


def test_archives_may_come_back_to_a_directory_and_link_files(tmp_path: Path) -> None:
    tree: list[Entry] = [
        Directory(b""),
        Directory(b"a"),
        Directory(b"b"),
        file(b"a/x", b"1"),
        file(b"b/y", b"2"),
    ]
    restore_new(
        [*tree, Directory(b"a/c"), HardLink(b"b/z", b"a/x"), file(b"a/c/w", b"3")],
        os.fsencode(tmp_path / "t"),
    )
    assert (tmp_path / "t/b/z").stat().st_ino == (tmp_path / "t/a/x").stat().st_ino
    assert (tmp_path / "t/a/c/w").read_text() == "3"


def test_what_exists_is_not_restored_over(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(FileExistsError):
        restore_new([file(b"", b"theirs")], os.fsencode(tmp_path / "mine"))
    assert (tmp_path / "mine").read_text() == "mine"


def test_restored_files_obey_the_umask_and_stored_ones_do_not(tmp_path: Path) -> None:
    parent = os.open(tmp_path, os.O_RDONLY)
    before = os.umask(0o077)
    try:
        for name, manner in ((b"mine", ORDINARY), (b"stored", STORED)):
            restore([Directory(b""), File(b"x", executable=True, size=0, content=())], parent, name, manner)
    finally:
        os.umask(before)
        os.close(parent)
    modes = {name: oct((tmp_path / name / "x").stat().st_mode & 0o777) for name in ("mine", "stored")}
    assert modes == {"mine": "0o700", "stored": "0o555"}


def test_a_producer_that_lies_about_a_size_is_found_out(tmp_path: Path) -> None:
    lying = [File(b"", executable=False, size=3, content=(b"1234",))]
    with pytest.raises(writer.UnfitEntry):
        list(writer.write(lying))
    assert os.listdir(tmp_path) == []


def many_files(directories: int, each: int) -> list[Entry]:
    tree: list[Entry] = [Directory(b"")]
    for number in range(directories):
        tree.append(Directory(b"%04d" % number))
        tree += [file(b"%04d/%04d" % (number, n), b"%d" % n * (n % 7 * 100)) for n in range(each)]
        tree.append(Symlink(b"%04d/z" % number, b"0000"))
    return tree


@pytest.mark.parametrize("manner", [STORED, ORDINARY])
def test_what_a_crew_unpacks_is_as_it_should_be(tmp_path: Path, manner: RestoreOptions) -> None:
    tree = [*many_files(30, 50), file(b"last", b"x")]
    parent = os.open(tmp_path, os.O_RDONLY)
    restore_nar(reader.read(io.BytesIO(nar(*tree))), parent, b"tree", manner)
    os.close(parent)
    assert settled(entries(os.fsencode(tmp_path / "tree"))) == settled(iter(tree))
    assert is_canonical(os.fsencode(tmp_path / "tree")) == manner.canonical


@pytest.mark.parametrize("fault", ["a full disk", "a name twice", "an archive cut short"])
def test_a_crew_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    tree = many_files(20, 50)
    whole = nar(*tree)
    source: Iterable[Entry] = reader.read(io.BytesIO(whole[: len(whole) - 40]))
    if fault == "a full disk":
        write, room = os.write, itertools.repeat(None, 500)

        def fill(descriptor: int, piece: bytes) -> int:
            for _ in room:
                return write(descriptor, piece)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "write", fill)
        source = reader.read(io.BytesIO(whole))
    if fault == "a name twice":
        source = [*tree[:600], tree[599], *tree[600:]]
    before = open_files()
    with pytest.raises((OSError, UnsafeEntry, Truncated)):
        restore_new(source, os.fsencode(tmp_path / "tree"))
    assert open_files() <= before
    assert os.listdir(tmp_path) == []
