"""What is read and written in pieces is the same wherever an edge of a buffer falls.

Each buffer is made so small that drawn trees cross its edge often; at its own size, tokens and contents end
just below, on and above the edge.
"""

import hashlib
import io
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from denizen import disk_view
from denizen.build import package_unpack
from denizen.file_content import MAP_FROM
from denizen.formats import compression, stream, tar
from denizen.formats.file_tree import Directory, Entry, File
from denizen.nar import codec, reader, writer
from denizen.store.collection import processes
from denizen.store.trees import canonical, dump, nar_hashing, reference_scanner, tree_reader
from denizen.store.trees.nar_hashing import Digester, digest_stream, digest_tree
from denizen.store.trees.restore import restore_new
from denizen.store.upkeep import optimise
from tests.support.generated_trees import file, nar, settled, trees

# Where each name of a buffer's size is looked up.
BLOCKS = (stream, reader, writer, tree_reader, tar, compression)
BUFFERS = (dump, nar_hashing)
NOWHERE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def dumped(path: Path, size: int) -> bytes:
    whole = bytearray()
    buffer = memoryview(bytearray(size))

    def take(piece: memoryview) -> memoryview:
        whole.extend(piece)
        return buffer

    dump.dump(os.fsencode(path), take, buffer)
    return bytes(whole)


@NOWHERE
@given(entries=trees, size=st.integers(600, 1500))
def test_a_buffer_of_any_size_gives_the_same_archive(
    tmp_path_factory: pytest.TempPathFactory, entries: list[Entry], size: int
) -> None:
    place = tmp_path_factory.mktemp("tree") / "t"
    restore_new(entries, os.fsencode(place))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dump, "_TOKENS", 200)
        for module in BUFFERS:
            patch.setattr(module, "BUFFER", size)
        assert dumped(place, size) == nar(*entries)
        found = digest_tree(os.fsencode(place), Digester())
    assert found.nar_hash == hashlib.sha256(nar(*entries)).digest()


def ending_at(edge: int) -> list[Entry]:
    """A tree whose second file's content begins at `edge` of its archive, as near as padding lets it."""
    beside = file(b"b", b"hello\n")
    before = len(nar(Directory(b""), file(b"a"), file(b"b"))) - len(codec.CLOSE * 3)
    return [Directory(b""), File(b"a", False, edge - before, (bytes(edge - before),)), beside]


@pytest.mark.parametrize("edge", [dump.BUFFER // 2, dump.BUFFER, 2 * dump.BUFFER])
def test_no_token_or_content_ends_at_an_edge_unseen(tmp_path: Path, edge: int) -> None:
    """From one run of tokens before the edge to one behind it, in the steps that padding leaves."""
    for offset in range(-320, 328, 8):
        for nearly in (0, 1, 7):
            entries = ending_at(edge + offset + nearly)
            place = tmp_path / f"{offset}.{nearly}"
            place.mkdir()
            (place / "b").write_bytes(b"hello\n")
            with open(place / "a", "wb") as sparse:
                assert isinstance(entries[1], File)
                sparse.truncate(entries[1].size)
            found = digest_tree(os.fsencode(place), Digester())
            whole = nar(*entries)
            assert (found.nar_size, found.nar_hash) == (len(whole), hashlib.sha256(whole).digest())


@NOWHERE
@given(entries=trees, step=st.integers(1, 200))
def test_blocks_of_any_size_give_the_same_tree(
    tmp_path_factory: pytest.TempPathFactory, entries: list[Entry], step: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for module in BLOCKS:
            patch.setattr(module, "BLOCK", step)
        archive = nar(*entries)
        assert settled(reader.read(io.BytesIO(archive))) == entries
        place = tmp_path_factory.mktemp("tree") / "t"
        restore_new(reader.read(io.BytesIO(archive)), os.fsencode(place))
        assert settled(tree_reader.entries(os.fsencode(place))) == entries
    assert archive == nar(*entries)


@pytest.mark.parametrize("size", [stream.BLOCK + more for more in (-9, -8, -1, 0, 1, 7, 8, 9)])
@pytest.mark.parametrize("count", [1, 2])
def test_a_file_about_as_long_as_a_block_is_kept(tmp_path: Path, size: int, count: int) -> None:
    content = os.urandom(size * count)
    entries: list[Entry] = [Directory(b""), file(b"a", content, executable=True), file(b"b", b"x" * 5)]
    archive = nar(*entries)
    restore_new(reader.read(io.BytesIO(archive)), os.fsencode(tmp_path / "t"))
    assert (tmp_path / "t/a").read_bytes() == content
    assert dumped(tmp_path / "t", dump.BUFFER) == archive
    assert b"".join(writer.write(tree_reader.entries(os.fsencode(tmp_path / "t")))) == archive
    assert digest_stream(io.BytesIO(archive)).nar_hash == hashlib.sha256(archive).digest()


def test_a_file_read_in_several_pieces_by_its_file_system_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on FUSE and NFS, where read(2) may give less than was asked for."""
    (tmp_path / "f").write_bytes(b"0123456789" * 100)
    read, readv = os.read, os.readv
    monkeypatch.setattr(os, "read", lambda descriptor, size: read(descriptor, min(size, 7)))
    monkeypatch.setattr(os, "readv", lambda descriptor, views: readv(descriptor, (views[0][:7],)))
    assert nar(*tree_reader.entries(os.fsencode(tmp_path / "f"))) == nar(file(b"", b"0123456789" * 100))
    assert dumped(tmp_path / "f", dump.BUFFER) == nar(file(b"", b"0123456789" * 100))


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_files_are_read_alike_below_and_above_what_is_mapped(tmp_path: Path, more: int) -> None:
    content = os.urandom(MAP_FROM + more)
    (tmp_path / "f").write_bytes(content)
    assert bytes(disk_view.DiskView().read(os.fsencode(tmp_path / "f"))) == content


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 31, 32, 33, 48])
def test_files_are_compared_and_copied_whole_whatever_the_chunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    for module in (optimise, canonical, processes):
        monkeypatch.setattr(module, "_CHUNK", 16)
    content = os.urandom(size)
    for name, more in (("a", b""), ("b", b""), ("c", b"x")):
        (tmp_path / name).write_bytes(content + more)
    directory = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        same, longer = (os.fsencode(tmp_path / name) for name in "bc")
        assert optimise._same_content(directory, b"a", same)
        assert not optimise._same_content(directory, b"a", longer)
        assert not optimise._same_content(directory, b"c", same)
        assert optimise._digest_file(directory, b"a") == optimise._digest_file(directory, b"b")
    finally:
        os.close(directory)
    assert processes._read(os.fsencode(tmp_path / "a")) == content
    os.link(tmp_path / "a", tmp_path / "another")
    canonical.canonicalise(os.fsencode(tmp_path))
    assert (tmp_path / "a").read_bytes() == content


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_a_package_about_as_large_as_is_held_gives_the_same_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: int
) -> None:
    monkeypatch.setattr(package_unpack, "HELD", 4096)
    content: list[Entry] = [Directory(b""), file(b"a", bytes(4000)), file(b"b", bytes(96 + more))]
    found = package_unpack.make(iter(content), os.fsencode(tmp_path / "t"), ())
    assert found.nar_hash == hashlib.sha256(nar(*content)).digest()


@pytest.mark.parametrize("size", [reference_scanner._LONG + more for more in (-1, 0, 1, 31, 32)])
def test_a_hash_at_either_end_of_a_long_run_is_found(size: int) -> None:
    wanted = b"0123456789abcdfghijklmnpqrsvwxyz"[::-1]
    for run in (wanted.ljust(size, b"a"), wanted.rjust(size, b"a")):
        scanner = reference_scanner.Scanner([wanted])
        scanner.feed(run)
        assert scanner.found == {wanted}
