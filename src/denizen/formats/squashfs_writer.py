"""Writer of SquashFS 4.0 images (pure); squashfs.py is the reader and describes the format.

What is written is a part of the format that every reader knows: one owner (root), one time, no extended
attributes, no export table. A file shorter than a block lies in a fragment together with others, the blocks
of a longer one follow one another, and the last is short. Files of the same content are stored once. Blocks
that do not get smaller are stored as they are. The same entries in the same order give the same bytes, as
long as the compressor's library is the same.

Order: superblock, data and fragments, inodes, listings, fragment table, ids; zeros to a multiple of 4,096.
"""

from __future__ import annotations

import hashlib
import struct

from denizen.bytesio import align_up
from denizen.errors import BadInput
from denizen.formats.file_tree import Directory, File, Symlink
from denizen.formats.squashfs import MAGIC, METADATA_SIZE
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from denizen.formats.file_tree import Entry

BLOCK_SIZE = 1 << 20
SUPERBLOCK_SIZE = 96
ALIGNMENT = 4096
_ZSTD = 6
_NO_XATTRS = 0x200
_ABSENT = 0xFFFFFFFFFFFFFFFF
_NO_FRAGMENT = 0xFFFFFFFF
_STORED, _STORED_METADATA = 1 << 24, 1 << 15
_TIME = 1
_DIRECTORY, _FILE, _SYMLINK, _LONG_DIRECTORY, _LONG_FILE = 1, 2, 3, 8, 9
_LONG = 1 << 32
_RUN_NAMES = 256
_MOST_DIFFERENCE = 1 << 15


class NotInImage(BadInput):
    """The error that a tree cannot be written as an image.

    Attributes:
        path: of an entry.
    """

    path: bytes
    reason: str
    WHAT = "{path} cannot be put into an image"
    WHY = "{reason:text}"


class StoredPiece(Value):
    """A part of a file's content as it lies in an image.

    Attributes:
        at: its offset in the image.
        size: bytes there; as many as `expanded` where it is stored as it is.
        expanded: bytes of content, with those of other files in a fragment.
    """

    at: int
    size: int
    expanded: int


class StoredFile(Value):
    """The place of a file's content in an image.

    Attributes:
        pieces: one after the other.
        offset: of the content in its only piece, which is a fragment.
        size: of the content.
    """

    pieces: tuple[StoredPiece, ...]
    offset: int
    size: int


class WrittenImage(Value):
    """The rest of an image whose data were written.

    Attributes:
        superblock: its first 96 bytes.
        size: of the whole image.
        files: where the content of each file lies, by its path.
    """

    superblock: bytes
    size: int
    files: dict[bytes, StoredFile]


def write_image(
    entries: Iterable[Entry],
    compress: Callable[[bytes], bytes],
    write: Callable[[bytes], object],
    modes: Mapping[bytes, int] | None = None,
) -> WrittenImage:
    """Write an image behind its superblock, which is returned.

    Args:
        entries: of the tree, directories before their content, the top first or implied.
        compress: makes one zstd frame.
        write: is given the bytes from SUPERBLOCK_SIZE on.
        modes: of paths whose mode is not that of a plain file or directory.

    Raises:
        NotInImage: an entry is no file, directory or symbolic link, or its directory does not come before it.
    """
    writer = _ImageWriter(compress, write, modes or {})
    for entry in entries:
        writer.add(entry)
    return writer.finish()


class _Node:
    """One entry of the tree; a directory has names."""

    __slots__ = ("entry", "names", "number")

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.names: dict[bytes, _Node] = {}
        self.number = 0


class _MetadataTable:
    """A table of metadata blocks under construction."""

    def __init__(self, compress: Callable[[bytes], bytes]) -> None:
        self._compress = compress
        self._open = bytearray()
        self.content = bytearray()
        self.starts: list[int] = []

    def add(self, content: bytes) -> tuple[int, int]:
        """Append bytes; return the start of their block in the table, and their offset in that block."""
        place = len(self.content), len(self._open)
        self._open += content
        while len(self._open) >= METADATA_SIZE:
            self._close()
        return place

    def finish(self) -> bytes:
        """Return the whole table."""
        if self._open:
            self._close()
        return bytes(self.content)

    def _close(self) -> None:
        block = bytes(self._open[:METADATA_SIZE])
        del self._open[:METADATA_SIZE]
        packed = self._compress(block)
        self.starts.append(len(self.content))
        if len(packed) < len(block):
            self.content += struct.pack("<H", len(packed)) + packed
        else:
            self.content += struct.pack("<H", len(block) | _STORED_METADATA) + block


class _WrittenInode(Value):
    """A written inode: its type's number, number, and place in the table."""

    kind: int
    number: int
    start: int
    offset: int


class _ImageWriter:
    def __init__(
        self,
        compress: Callable[[bytes], bytes],
        write: Callable[[bytes], object],
        modes: Mapping[bytes, int],
    ) -> None:
        self._compress = compress
        self._write = write
        self._modes = modes
        self._at = SUPERBLOCK_SIZE
        self._top = _Node(Directory(b""))
        self._nodes = {b"": self._top}
        self._contents: dict[bytes, bytes] = {}
        self._stored: dict[bytes, StoredFile] = {}
        # Of the fragment that is being filled: its bytes, and the digests with their offsets.
        self._open = bytearray()
        self._waiting: list[tuple[bytes, int, int]] = []
        self._fragments: list[StoredPiece] = []
        self._fragment_of: dict[bytes, int] = {}
        self._inodes = _MetadataTable(compress)
        self._listings = _MetadataTable(compress)

    def add(self, entry: Entry) -> None:
        if not entry.path:
            return
        above, _, name = entry.path.rpartition(b"/")
        parent = self._nodes.get(above)
        if parent is None or not isinstance(parent.entry, Directory):
            raise NotInImage(entry.path, "its directory does not come before it")
        if name in parent.names:
            raise NotInImage(entry.path, "there are two of that name")
        node = parent.names[name] = _Node(entry)
        if isinstance(entry, File):
            # The content is gone when the next entry is asked for.
            self._contents[entry.path] = self._store(b"".join(map(bytes, entry.content)))
        elif isinstance(entry, Directory):
            self._nodes[entry.path] = node

    def finish(self) -> WrittenImage:
        self._close_fragment()
        count = self._number()
        root = self._inode_of(self._top, count + 1)
        inodes = self._put(self._inodes.finish())
        listings = self._put(self._listings.finish())
        fragments = self._fragment_table()
        ids = self._index(struct.pack("<I", 0))
        used = self._at
        self._put(bytes(align_up(used, ALIGNMENT) - used))
        superblock = struct.pack(
            "<5I6H8Q",
            MAGIC, count, _TIME, BLOCK_SIZE, len(self._fragments),
            _ZSTD, BLOCK_SIZE.bit_length() - 1, _NO_XATTRS, 1, 4, 0,
            root.start << 16 | root.offset, used, ids, _ABSENT, inodes, listings, fragments, _ABSENT,
        )  # fmt: skip
        files = {path: self._stored[digest] for path, digest in self._contents.items()}
        return WrittenImage(superblock, self._at, files)

    # -- data

    def _store(self, content: bytes) -> bytes:
        """Store the content of a file, unless it is there; return its digest."""
        digest = hashlib.sha256(content).digest()
        if digest in self._stored or digest in self._fragment_of:
            return digest
        if not content:
            self._stored[digest] = StoredFile((), 0, 0)
        elif len(content) < BLOCK_SIZE:
            self._add_to_fragment(digest, content)
        else:
            pieces = [self._block(content[at : at + BLOCK_SIZE]) for at in range(0, len(content), BLOCK_SIZE)]
            self._stored[digest] = StoredFile(tuple(pieces), 0, len(content))
        return digest

    def _block(self, content: bytes) -> StoredPiece:
        packed = self._compress(content)
        kept = packed if len(packed) < len(content) else content
        return StoredPiece(self._put(kept), len(kept), len(content))

    def _add_to_fragment(self, digest: bytes, content: bytes) -> None:
        if len(self._open) + len(content) > BLOCK_SIZE:
            self._close_fragment()
        self._waiting.append((digest, len(self._open), len(content)))
        self._fragment_of[digest] = len(self._fragments)
        self._open += content

    def _close_fragment(self) -> None:
        if not self._waiting:
            return
        piece = self._block(bytes(self._open))
        self._fragments.append(piece)
        for digest, offset, size in self._waiting:
            self._stored[digest] = StoredFile((piece,), offset, size)
        self._open.clear()
        self._waiting.clear()

    def _put(self, content: bytes) -> int:
        """Write bytes; return where they are in the image."""
        at = self._at
        self._write(content)
        self._at += len(content)
        return at

    # -- metadata

    def _number(self) -> int:
        """Number all nodes, each directory before what is in it; return how many there are."""
        pending, count = [self._top], 0
        while pending:
            node = pending.pop()
            count += 1
            node.number = count
            pending += [node.names[name] for name in sorted(node.names, reverse=True)]
        return count

    def _inode_of(self, top: _Node, parent: int) -> _WrittenInode:
        """Write the inodes of a directory and all in it, the directory's own last; return that."""
        done: dict[int, _WrittenInode] = {}
        pending: list[tuple[_Node, int, bool]] = [(top, parent, False)]
        while pending:
            node, above, visited = pending.pop()
            if not isinstance(node.entry, Directory):
                done[node.number] = self._leaf(node)
            elif visited:
                done[node.number] = self._directory(node, above, done)
            else:
                pending.append((node, above, True))
                below = sorted(node.names, reverse=True)
                pending += [(node.names[name], node.number, False) for name in below]
        return done[top.number]

    def _leaf(self, node: _Node) -> _WrittenInode:
        entry = node.entry
        if isinstance(entry, Symlink):
            body = struct.pack("<2I", 1, len(entry.target)) + entry.target
            return self._inode(_SYMLINK, 0o777, node, body)
        assert isinstance(entry, File)
        digest = self._contents[entry.path]
        stored = self._stored[digest]
        mode = 0o755 if entry.executable else 0o644
        fragment = self._fragment_of.get(digest, _NO_FRAGMENT)
        start, sizes = 0, b""
        if fragment == _NO_FRAGMENT and stored.pieces:
            start = stored.pieces[0].at
            sizes = b"".join(struct.pack("<I", _length(piece)) for piece in stored.pieces)
        if start < _LONG and stored.size < _LONG:
            body = struct.pack("<4I", start, fragment, stored.offset, stored.size)
            return self._inode(_FILE, mode, node, body + sizes)
        body = struct.pack("<3Q4I", start, stored.size, 0, 1, fragment, stored.offset, _NO_FRAGMENT)
        return self._inode(_LONG_FILE, mode, node, body + sizes)

    def _directory(self, node: _Node, parent: int, done: dict[int, _WrittenInode]) -> _WrittenInode:
        rows = [(name, done[node.names[name].number]) for name in sorted(node.names)]
        listing = b"".join(_runs(rows))
        start, offset = self._listings.add(listing)
        below = sum(isinstance(one.entry, Directory) for one in node.names.values())
        # A listing's size counts three bytes for `.` and `..`, which are not stored.
        size = len(listing) + 3
        if size < 1 << 16:
            body = struct.pack("<IIHHI", start, 2 + below, size, offset, parent)
            return self._inode(_DIRECTORY, 0o755, node, body)
        body = struct.pack("<4I2HI", 2 + below, size, start, parent, 0, offset, _NO_FRAGMENT)
        return self._inode(_LONG_DIRECTORY, 0o755, node, body)

    def _inode(self, kind: int, mode: int, node: _Node, body: bytes) -> _WrittenInode:
        mode = self._modes.get(node.entry.path, mode)
        head = struct.pack("<4H2I", kind, mode, 0, 0, _TIME, node.number)
        return _WrittenInode(kind, node.number, *self._inodes.add(head + body))

    def _fragment_table(self) -> int:
        if not self._fragments:
            return _ABSENT
        rows = [struct.pack("<QII", piece.at, _length(piece), 0) for piece in self._fragments]
        return self._index(b"".join(rows))

    def _index(self, content: bytes) -> int:
        """Write a table with the list of its blocks behind it; return where the list is."""
        table = _MetadataTable(self._compress)
        table.add(content)
        at = self._put(table.finish())
        return self._put(b"".join(struct.pack("<Q", at + start) for start in table.starts))


def _length(piece: StoredPiece) -> int:
    return piece.size | (_STORED if piece.size == piece.expanded else 0)


def _runs(rows: list[tuple[bytes, _WrittenInode]]) -> Iterator[bytes]:
    """Yield a directory's listing: runs of names whose inodes are in one block and have near numbers."""
    while rows:
        first = rows[0][1]
        count = 1
        while (
            count < min(len(rows), _RUN_NAMES)
            and rows[count][1].start == first.start
            and abs(rows[count][1].number - first.number) < _MOST_DIFFERENCE
        ):
            count += 1
        yield struct.pack("<3I", count - 1, first.start, first.number)
        for name, inode in rows[:count]:
            # The short form of a type, also where the inode has the extended one.
            kind = inode.kind - 7 if inode.kind > 7 else inode.kind
            yield struct.pack("<HhHH", inode.offset, inode.number - first.number, kind, len(name) - 1) + name
        rows = rows[count:]
