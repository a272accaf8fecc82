"""SquashFS images that are written: read by denizen's own reader, and by squashfs-tools."""

import os
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denizen.app.bundles.compressors import zstd_frames
from denizen.formats import squashfs
from denizen.formats.file_tree import Directory, Entry, File, Symlink
from denizen.formats.squashfs_blocks import BadSquashfs
from denizen.formats.squashfs_writer import (
    ALIGNMENT,
    BLOCK_SIZE,
    SUPERBLOCK_SIZE,
    NotInImage,
    WrittenImage,
    write_image,
)
from tests.support.peers import require

_COMPRESS = zstd_frames(1)


def file(path: bytes, content: bytes, *, executable: bool = False) -> File:
    return File(path, executable=executable, size=len(content), content=(content,))


def written(entries: list[Entry]) -> tuple[bytes, WrittenImage]:
    parts: list[bytes] = []
    made = write_image(entries, _COMPRESS, parts.append)
    image = made.superblock + b"".join(parts)
    assert len(image) == made.size
    return image, made


def read(image: bytes) -> dict[bytes, tuple[str, bytes]]:
    return {
        one.name: (one.kind.name, b"".join(map(bytes, one.content)) or one.target)
        for one in squashfs.members(image)
    }


_LARGE = os.urandom(BLOCK_SIZE) + bytes(BLOCK_SIZE) + b"words " * 9000
_TREE: list[Entry] = [
    Directory(b""),
    file(b"AppRun", b"#!/bin/sh\n", executable=True),
    Directory(b"empty"),
    file(b"nothing", b""),
    Directory(b"usr"),
    Directory(b"usr/lib"),
    file(b"usr/lib/large", _LARGE),
    file(b"usr/lib/same", _LARGE),
    Symlink(b"usr/lib/link", b"large"),
    file(b"usr/lib/exact", bytes(BLOCK_SIZE)),
]


def test_names_kinds_and_contents_are_read_back() -> None:
    image, _ = written(_TREE)
    found = read(image)
    assert list(found) == sorted(entry.path for entry in _TREE if entry.path)
    assert found[b"usr/lib/large"] == found[b"usr/lib/same"] == ("FILE", _LARGE)
    assert found[b"usr/lib/link"] == ("SYMLINK", b"large")
    assert found[b"empty"] == ("DIRECTORY", b"")
    assert len(image) % ALIGNMENT == 0


def test_the_places_of_contents_are_told() -> None:
    image, made = written(_TREE)
    pieces = made.files[b"usr/lib/large"].pieces
    assert [piece.expanded for piece in pieces] == [BLOCK_SIZE, BLOCK_SIZE, 54_000]
    # Random bytes are stored as they are.
    assert image[pieces[0].at : pieces[0].at + pieces[0].size] == _LARGE[:BLOCK_SIZE]
    assert made.files[b"usr/lib/same"] == made.files[b"usr/lib/large"]
    assert made.files[b"nothing"].pieces == ()
    assert all(one.pieces[0].at >= SUPERBLOCK_SIZE for one in made.files.values() if one.pieces)


_PART = st.binary(min_size=1, max_size=9).filter(lambda name: not {0, 47} & {*name} and name.strip(b"."))


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(st.lists(_PART, min_size=1, max_size=3).map(tuple), st.binary(max_size=400), max_size=40)
)
def test_any_tree_is_read_back(contents: dict[tuple[bytes, ...], bytes]) -> None:
    files = {b"/".join(parts): content for parts, content in contents.items()}
    above = {b"/".join(parts[:depth]) for parts in contents for depth in range(1, len(parts))}
    names = {path: content for path, content in files.items() if path not in above}
    entries: list[Entry] = [*map(Directory, above), *(file(path, text) for path, text in names.items())]
    image, _ = written(sorted(entries, key=lambda entry: entry.path.split(b"/")))
    assert read(image) == {path: ("FILE", text) for path, text in names.items()} | dict.fromkeys(
        above, ("DIRECTORY", b"")
    )


def test_a_directory_of_many_names_and_blocks_of_metadata(tmp_path: Path) -> None:
    """Listings of more than 64 KiB, runs of more than 256 names, inodes in several blocks."""
    require("unsquashfs")
    names = [b"a-rather-long-name-of-a-file-%05d" % number for number in range(3000)]
    image, _ = written([Directory(b"many"), *(file(b"many/" + name, name) for name in names)])
    assert read(image)[b"many/" + names[-1]] == ("FILE", names[-1])
    (tmp_path / "image").write_bytes(image)
    unpacked = tmp_path / "unpacked"
    subprocess.run(["unsquashfs", "-q", "-n", "-d", unpacked, tmp_path / "image"], check=True)
    assert sorted(os.fsencode(one.name) for one in (unpacked / "many").iterdir()) == names
    assert (unpacked / "many" / os.fsdecode(names[7])).read_bytes() == names[7]


def test_fragments_that_expand_beyond_all_measure_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of a million files of one byte may lie in another fragment: these count as files do."""
    parts: list[bytes] = []
    size = 600_000  # two do not fit into a fragment
    contents = [os.urandom(size) for _ in range(3)]
    tree: list[Entry] = [Directory(b"")]
    tree += [file(b"%d" % n, content) for n, content in enumerate(contents)]
    made = write_image(tree, bytes, parts.append)
    image = bytearray(made.superblock + b"".join(parts))
    for _ in contents:
        at = image.index(struct.pack("<I", size), 3 * size)
        struct.pack_into("<I", image, at, 1)
    assert read(bytes(image)) == {b"%d" % n: ("FILE", content[:1]) for n, content in enumerate(contents)}
    monkeypatch.setattr(squashfs, "MAX_SWELL", 0)
    monkeypatch.setattr(squashfs, "SMALL", 2 * size)
    with pytest.raises(BadSquashfs, match="fragments that expand"):
        read(bytes(image))


def test_a_fragment_is_expanded_again_when_others_took_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(squashfs, "KEPT_FRAGMENTS", 1_000_000)
    contents = [os.urandom(600_000) for _ in range(3)]
    contents.append(contents[0])
    image, _ = written([Directory(b""), *(file(b"%d" % n, content) for n, content in enumerate(contents))])
    assert [content for _, content in read(image).values()] == contents


def test_unsquashfs_unpacks_what_was_written(tmp_path: Path) -> None:
    require("unsquashfs")
    image, _ = written(_TREE)
    (tmp_path / "image").write_bytes(image)
    unpacked = tmp_path / "unpacked"
    command = ["unsquashfs", "-q", "-n", "-d", str(unpacked), str(tmp_path / "image")]
    subprocess.run(command, check=True, umask=0o022)  # which it applies unless root runs it
    assert (unpacked / "usr/lib/same").read_bytes() == _LARGE
    assert os.readlink(unpacked / "usr/lib/link") == "large"
    assert (unpacked / "AppRun").stat().st_mode & 0o777 == 0o755
    assert (unpacked / "nothing").stat().st_size == 0
    assert (unpacked / "usr/lib/exact").read_bytes() == bytes(BLOCK_SIZE)


def test_the_same_entries_give_the_same_bytes() -> None:
    assert written(_TREE)[0] == written(_TREE)[0]


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([file(b"a/b", b"")], "its directory does not come before it"),
        ([file(b"a", b""), file(b"a", b"")], "there are two of that name"),
        ([file(b"a", b""), file(b"a/b", b"")], "its directory does not come before it"),
    ],
)
def test_what_is_no_tree_is_refused(entries: list[Entry], reason: str) -> None:
    with pytest.raises(NotInImage, match=reason):
        written(entries)
