"""Small SquashFS images built in memory, stored or by zlib, without fragments."""

import struct
import zlib
from collections.abc import Mapping
from typing import TypeAlias

# A file's content, a link's target as str, or a directory.
Tree: TypeAlias = Mapping[str, "bytes | str | Tree"]

BLOCK_SIZE = 4096
_NO_TABLE = 0xFFFFFFFFFFFFFFFF


def image(tree: Tree, *, compressed: bool = True) -> bytes:
    """The image of a tree."""
    return _Builder(compressed=compressed).image(tree)


class _Builder:
    def __init__(self, *, compressed: bool) -> None:
        self._compressed = compressed
        self._data = bytearray(96)
        self._inodes = bytearray()
        self._listings = bytearray()
        self._count = 0

    def image(self, tree: Tree) -> bytes:
        root, _ = self._directory(tree)
        out = bytearray(self._data)
        inode_table = len(out)
        out += self._metadata(self._inodes)
        directory_table = len(out)
        out += self._metadata(self._listings)
        head = struct.pack(
            "<5I6H8Q", 0x73717368, self._count, 0, BLOCK_SIZE, 0, 1, 12, 0, 1, 4, 0,
            root, len(out), len(out), _NO_TABLE, inode_table, directory_table, len(out), _NO_TABLE,
        )  # fmt: skip
        out[:96] = head
        return bytes(out)

    def _metadata(self, content: bytes | bytearray) -> bytes:
        """One block: the trees of tests are small."""
        assert len(content) <= 8192
        packed = zlib.compress(content)
        if self._compressed and len(packed) < len(content):
            return struct.pack("<H", len(packed)) + packed
        return struct.pack("<H", len(content) | 1 << 15) + content

    def _inode(self, type_: int, mode: int, rest: bytes) -> tuple[int, int]:
        """(reference, number)."""
        self._count += 1
        reference = len(self._inodes)
        self._inodes += struct.pack("<4H2I", type_, mode, 0, 0, 0, self._count) + rest
        return reference, self._count

    def _directory(self, tree: Tree) -> tuple[int, int]:
        made = []
        for name, item in sorted(tree.items()):
            if isinstance(item, bytes):
                made.append((name, 2, *self._file(item)))
            elif isinstance(item, str):
                rest = struct.pack("<2I", 1, len(item)) + item.encode()
                made.append((name, 3, *self._inode(3, 0o777, rest)))
            else:
                made.append((name, 1, *self._directory(item)))
        start = len(self._listings)
        if made:
            self._listings += struct.pack("<3I", len(made) - 1, 0, 0)
        for name, type_, reference, _ in made:
            self._listings += struct.pack("<HhHH", reference, 0, type_, len(name) - 1) + name.encode()
        size = len(self._listings) - start + 3
        return self._inode(1, 0o755, struct.pack("<IIHHI", 0, 1, size, start, 0))

    def _file(self, content: bytes) -> tuple[int, int]:
        start, words = len(self._data), []
        for at in range(0, len(content), BLOCK_SIZE):
            piece = content[at : at + BLOCK_SIZE]
            packed = zlib.compress(piece)
            smaller = self._compressed and len(packed) < len(piece)
            self._data += packed if smaller else piece
            words.append(len(packed) if smaller else len(piece) | 1 << 24)
        rest = struct.pack("<4I", start, 0xFFFFFFFF, 0, len(content))
        return self._inode(2, 0o755, rest + b"".join(struct.pack("<I", word) for word in words))
