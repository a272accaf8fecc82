import os
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.bytesio import Truncated
from denizen.formats import squashfs
from denizen.formats.squashfs_blocks import BadSquashfs
from denizen.formats.tar import MemberKind, TarMember
from tests.support.peers import require
from tests.support.squashfs import BLOCK_SIZE, Tree, image

TREE: Tree = {
    "AppRun": b"#!/bin/sh\n",
    "empty": b"",
    "usr": {"lib": {"libx.so.1": bytes(3 * BLOCK_SIZE) + b"tail", "libx.so": "libx.so.1"}, "share": {}},
}


def read(members: Iterable[TarMember]) -> dict[bytes, tuple[MemberKind, bytes]]:
    """Each name with its kind and its content or target."""
    return {
        member.name: (member.kind, b"".join(map(bytes, member.content)) or member.target)
        for member in members
    }


@pytest.mark.parametrize("compressed", [True, False])
def test_members_have_the_names_kinds_and_contents_of_the_tree(*, compressed: bool) -> None:
    found = read(squashfs.members(image(TREE, compressed=compressed)))
    assert found == {
        b"AppRun": (MemberKind.FILE, b"#!/bin/sh\n"),
        b"empty": (MemberKind.FILE, b""),
        b"usr": (MemberKind.DIRECTORY, b""),
        b"usr/lib": (MemberKind.DIRECTORY, b""),
        b"usr/lib/libx.so": (MemberKind.SYMLINK, b"libx.so.1"),
        b"usr/lib/libx.so.1": (MemberKind.FILE, bytes(3 * BLOCK_SIZE) + b"tail"),
        b"usr/share": (MemberKind.DIRECTORY, b""),
    }


@given(st.integers(0, 3), st.integers(-2, 2))
def test_files_that_end_near_a_block_s_edge_are_whole(blocks: int, past: int) -> None:
    content = os.urandom(max(0, blocks * BLOCK_SIZE + past))
    (member,) = squashfs.members(image({"f": content}))
    assert b"".join(map(bytes, member.content)) == content


@pytest.mark.parametrize("compression", ["gzip", "xz", "zstd"])
def test_what_mksquashfs_makes_is_read(compression: str, tmp_path: Path) -> None:
    require("mksquashfs")
    tree = tmp_path / "tree"
    (tree / "many").mkdir(parents=True)
    for number in range(700):
        (tree / "many" / f"file-{number}").write_bytes(b"%d\n" % number * number)
    (tree / "sparse").write_bytes(bytes(1 << 20) + b"end")
    (tree / "large").write_bytes(os.urandom(300_000))
    os.link(tree / "large", tree / "second name")
    os.symlink("large", tree / "link")
    made = tmp_path / "image"
    subprocess.run(
        ["mksquashfs", tree, made, "-comp", compression, "-quiet", "-no-progress"],
        check=True,
        capture_output=True,
    )
    found = read(squashfs.members(made.read_bytes()))
    assert len(found) == 705
    assert found[b"sparse"][1] == bytes(1 << 20) + b"end"
    assert found[b"large"] == found[b"second name"] == (MemberKind.FILE, (tree / "large").read_bytes())
    assert all(found[b"many/file-%d" % n][1] == b"%d\n" % n * n for n in range(700))


def test_every_truncation_is_an_error() -> None:
    whole = image(TREE)
    for size in range(len(whole)):
        with pytest.raises((Truncated, BadSquashfs)):
            read(squashfs.members(whole[:size]))


def test_a_compression_nobody_reads_is_named() -> None:
    lzo = bytearray(image(TREE))
    struct.pack_into("<H", lzo, 20, 3)
    with pytest.raises(BadSquashfs, match="compressed by lzo"):
        read(squashfs.members(bytes(lzo)))


def test_a_directory_inside_itself_is_refused() -> None:
    looping = bytearray(image({"a": {"b": {"c": b""}}}, compressed=False))
    # The listing of a, the innermost but one, names b; let b's inode be a's.
    text = bytes(looping)
    a, b = text.index(b"\0\0a"), text.index(b"\0\0b")
    looping[b - 6 : b - 4] = looping[a - 6 : a - 4]
    with pytest.raises(BadSquashfs, match="listed twice"):
        read(squashfs.members(bytes(looping)))


def test_a_name_with_a_slash_is_refused() -> None:
    crooked = image({"a-b": b""}, compressed=False).replace(b"a-b", b"a/b")
    with pytest.raises(BadSquashfs, match="a name with a slash"):
        read(squashfs.members(crooked))


def test_a_file_that_claims_more_than_the_image_could_hold_is_refused() -> None:
    lying = bytearray(image({"f": b"content"}, compressed=False))
    at = bytes(lying).index(struct.pack("<3I", 0xFFFFFFFF, 0, 7))
    struct.pack_into("<I", lying, at + 8, 0xFFFFFFF0)
    with pytest.raises(BadSquashfs, match="a file of 4294967280 bytes"):
        read(squashfs.members(bytes(lying)))
