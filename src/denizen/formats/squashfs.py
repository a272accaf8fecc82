"""Parser of SquashFS 4.0 images, which AppImages contain (pure).

Specification: the kernel's fs/squashfs/squashfs_fs.h and Documentation/filesystems/squashfs.rst.

    image    = superblock, data blocks, fragments, inode table, directory table, fragment table, ...
    metadata = { length:2 (bit 15: stored as it is), up to 8192 bytes }
    inode    = type:2 mode:2 uid:2 gid:2 mtime:4 number:4, then by type
    listing  = { count-1:4 inode block:4 number:4 { offset:2 difference:2 type:2 length-1:2 name } }
    file     = blocks of the image's block size, each length:4 (bit 24: stored; 0: zeros); a tail shorter
               than a block may lie in a fragment, which files share

Numbers are little-endian. Members are given as tar's are, so that `archive_tree.entries` checks names and
links: a name here is one component, but the image may still hold loops, doubles, devices and huge claims.
Why no library: the maintained ones are under the GPL or AGPL.

Limits: MAX_MEMBERS inodes, directories MAX_DEPTH deep, MAX_LISTING bytes of one directory; a block
expands to the block size the image states (1 MiB at most), metadata to 8 KiB. Files that claim more
than MAX_SWELL times the image's own size, and SMALL bytes, are refused: a sparse block costs the
image four bytes. So are fragments that expand to more, KEPT_FRAGMENTS bytes of them being kept: each of a
million files may lie in another fragment than the one before.
"""

from __future__ import annotations

from struct import Struct

from denizen.bytesio import Truncated, take
from denizen.formats.squashfs_blocks import BadSquashfs, expander
from denizen.formats.tar import MemberKind, TarMember
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from denizen.bytesio import Buffer

MAGIC = 0x73717368
METADATA_SIZE = 8192
MAX_BLOCK = 1 << 20
MAX_MEMBERS = 1_000_000
MAX_DEPTH = 64
MAX_LISTING = 32 << 20
MAX_SWELL = 64
SMALL = 4 << 20
KEPT_FRAGMENTS = 32 << 20
_SUPERBLOCK = Struct("<5I6H8Q")
_STORED_METADATA, _STORED_BLOCK = 1 << 15, 1 << 24
_NO_FRAGMENT = 0xFFFFFFFF
# A listing's size counts three bytes for `.` and `..`, which are not stored.
_EMPTY_LISTING = 3
_FRAGMENTS_PER_BLOCK = METADATA_SIZE // 16

_INODE = Struct("<4H2I")
_DIRECTORY, _LONG_DIRECTORY = Struct("<IIHHI"), Struct("<4I2HI")
_FILE, _LONG_FILE = Struct("<4I"), Struct("<3Q4I")
_SYMLINK = Struct("<2I")
_RUN, _NAME = Struct("<3I"), Struct("<HhHH")

# Types of inodes; the extended form of each is seven more.
_KINDS = {
    1: MemberKind.DIRECTORY,
    2: MemberKind.FILE,
    3: MemberKind.SYMLINK,
    4: MemberKind.BLOCK_DEVICE,
    5: MemberKind.CHARACTER_DEVICE,
    6: MemberKind.FIFO,
    7: MemberKind.FIFO,  # a socket: as useless in a tree as a pipe
}
_EXTENDED = 7
_COMPRESSIONS = {1: "gzip", 2: "lzma", 3: "lzo", 4: "xz", 5: "lz4", 6: "zstd"}


class Superblock(Value):
    """The parts of the superblock that reading needs; offsets from the image's start, sizes in bytes."""

    block_size: int
    fragments: int
    compression: str
    root: int
    used: int
    inode_table: int
    directory_table: int
    fragment_table: int


class _Inode(Value):
    """One inode.

    Attributes:
        number: unique in the image; names with one number are hard links of one file.
        size: bytes of a file, of a directory's listing, of a link's target.
        start: of a file its first block in the image, of a directory the block of its listing.
        offset: of a file the tail's place in its fragment, of a directory its place in the listing's block.
        blocks: stored lengths of a file's blocks, with their bit 24.
    """

    kind: MemberKind
    mode: int
    number: int
    size: int = 0
    start: int = 0
    offset: int = 0
    fragment: int = _NO_FRAGMENT
    blocks: tuple[int, ...] = ()
    target: bytes = b""


def read_superblock(image: Buffer) -> Superblock:
    """Return the superblock at the start of `image`. Raises BadSquashfs, Truncated."""
    fields = _SUPERBLOCK.unpack(take(image, 0, _SUPERBLOCK.size, "SquashFS superblock"))
    magic, _, _, block_size, fragments, compression, log, _, _, major, minor = fields[:11]
    root, used, _, _, inode_table, directory_table, fragment_table, _ = fields[11:]
    if magic != MAGIC:
        raise BadSquashfs(0, "it does not begin with 'hsqs'")
    if (major, minor) != (4, 0):
        raise BadSquashfs(28, f"version {major}.{minor}; only 4.0 is read")
    if not 4096 <= block_size <= MAX_BLOCK or block_size != 1 << log:
        raise BadSquashfs(12, f"a block size of {block_size}")
    if used > len(image):
        raise Truncated("SquashFS image", 0, used, len(image))
    name = _COMPRESSIONS.get(compression, f"number {compression}")
    return Superblock(block_size, fragments, name, root, used, inode_table, directory_table, fragment_table)


def members(image: Buffer) -> Iterator[TarMember]:
    """Yield every member, directories before their contents, names in the image's order.

    A member's content is to be read before the next is asked for. Each name of a file is a file with its
    content.

    Raises:
        BadSquashfs, Truncated: the image contradicts its format or a limit above.
        NoDecoder: this Python lacks the decompressor.
    """
    yield from _Image(image).members()


class _Metadata:
    """A table of metadata blocks, read by (block, offset within it); the blocks last read are kept."""

    __slots__ = ("_expand", "_image", "_kept", "_start")

    _KEPT = 256

    def __init__(self, image: Buffer, start: int, expand: Callable[[bytes, int, int], bytes]) -> None:
        self._image = image
        self._start = start
        self._expand = expand
        self._kept: dict[int, tuple[bytes, int]] = {}

    def block(self, at: int) -> tuple[bytes, int]:
        """Return the content of the block at `at` (relative to the table) and where the next one begins."""
        known = self._kept.get(at)
        if known is None:
            place = self._start + at
            length = int.from_bytes(take(self._image, place, 2, "SquashFS metadata length"), "little")
            stored = bool(length & _STORED_METADATA)
            length &= _STORED_METADATA - 1
            raw = take(self._image, place + 2, length, "SquashFS metadata")
            content = raw if stored else self._expand(raw, METADATA_SIZE, place)
            if not content or len(content) > METADATA_SIZE:
                raise BadSquashfs(place, f"a metadata block of {len(content)} bytes")
            if len(self._kept) >= self._KEPT:
                self._kept.clear()
            known = self._kept[at] = (content, at + 2 + length)
        return known

    def cursor(self, at: int, offset: int) -> _Cursor:
        """Return a reader from `offset` within the block at `at`."""
        return _Cursor(self, at, offset)


class _Cursor:
    """Reads on through metadata blocks."""

    __slots__ = ("_at", "_offset", "_table")

    def __init__(self, table: _Metadata, at: int, offset: int) -> None:
        self._table = table
        self._at = at
        self._offset = offset

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes. Raises BadSquashfs, Truncated."""
        pieces: list[bytes] = []
        while size:
            content, following = self._table.block(self._at)
            piece = content[self._offset : self._offset + size]
            if not piece and self._offset > len(content):
                raise BadSquashfs(self._at, "a reference beyond its metadata block")
            pieces.append(piece)
            size -= len(piece)
            self._offset += len(piece)
            if self._offset == len(content):
                self._at, self._offset = following, 0
        return b"".join(pieces)

    def unpack(self, form: Struct) -> tuple[int, ...]:
        """Return the fields of `form` from here."""
        return form.unpack(self.take(form.size))


class _Image:
    def __init__(self, image: Buffer) -> None:
        self._image = image
        self._super = read_superblock(image)
        self._expand = expander(self._super.compression)
        self._inodes = _Metadata(image, self._super.inode_table, self._expand)
        self._listings = _Metadata(image, self._super.directory_table, self._expand)
        self._left = MAX_MEMBERS
        self._room = SMALL + MAX_SWELL * len(image)
        self._fragments = _Fragments(SMALL + MAX_SWELL * len(image), self._expanded_fragment)

    def members(self) -> Iterator[TarMember]:
        """Walk the tree without recursion: `pending` holds what is still to be listed."""
        root = self._inode(self._super.root >> 16, self._super.root & 0xFFFF)
        if root.kind is not MemberKind.DIRECTORY:
            raise BadSquashfs(self._super.inode_table, "the root is no directory")
        pending, listed = [(b"", root, 0)], {(root.start, root.offset)}
        while pending:
            path, directory, depth = pending.pop()
            for name, inode in self._entries(directory):
                self._count(inode)
                below = path + b"/" + name if path else name
                # Empty directories share one place in the table.
                if inode.kind is MemberKind.DIRECTORY and inode.size > _EMPTY_LISTING:
                    # A directory has one name: a second one would make a loop, or 2**MAX_DEPTH members.
                    if (inode.start, inode.offset) in listed or depth == MAX_DEPTH:
                        raise BadSquashfs(0, "a directory that is listed twice, or too deep")
                    listed.add((inode.start, inode.offset))
                    pending.append((below, inode, depth + 1))
                yield self._member(below, inode)

    def _count(self, inode: _Inode) -> None:
        self._left -= 1
        self._room -= inode.size if inode.kind is MemberKind.FILE else 0
        if self._left < 0 or self._room < 0:
            raise BadSquashfs(
                0, f"over {MAX_MEMBERS} members, or files of {MAX_SWELL} times the image's size"
            )

    def _member(self, path: bytes, inode: _Inode) -> TarMember:
        if inode.kind is not MemberKind.FILE:
            return TarMember(path, inode.kind, inode.mode, 0, inode.target)
        return TarMember(path, MemberKind.FILE, inode.mode, inode.size, b"", self._content(inode))

    def _entries(self, directory: _Inode) -> Iterator[tuple[bytes, _Inode]]:
        left = directory.size - _EMPTY_LISTING
        if left > MAX_LISTING:
            raise BadSquashfs(0, f"a directory's listing of {left} bytes")
        listing = self._listings.cursor(directory.start, directory.offset)
        while left > 0:
            count, block, _ = listing.unpack(_RUN)
            left -= _RUN.size
            if count >= 256:
                raise BadSquashfs(0, f"a run of {count + 1} names")
            for _ in range(count + 1):
                offset, _, _, length = listing.unpack(_NAME)
                name = listing.take(length + 1)
                if b"/" in name:
                    raise BadSquashfs(0, "a name with a slash")
                left -= _NAME.size + length + 1
                yield name, self._inode(block, offset)

    def _inode(self, block: int, offset: int) -> _Inode:
        at = self._inodes.cursor(block, offset)
        type_, mode, _, _, _, number = at.unpack(_INODE)
        extended = type_ > _EXTENDED
        kind = _KINDS.get(type_ - _EXTENDED if extended else type_)
        if kind is None:
            raise BadSquashfs(self._super.inode_table + block, f"an inode of type {type_}")
        if kind is MemberKind.DIRECTORY:
            return self._directory_inode(at, mode, number, extended=extended)
        if kind is MemberKind.FILE:
            return self._file_inode(at, mode, number, extended=extended)
        if kind is MemberKind.SYMLINK:
            _, size = at.unpack(_SYMLINK)
            if size > 65_535:
                raise BadSquashfs(0, f"a link's target of {size} bytes")
            return _Inode(kind, mode, number, target=at.take(size))
        return _Inode(kind, mode, number)

    def _directory_inode(self, at: _Cursor, mode: int, number: int, *, extended: bool) -> _Inode:
        if extended:
            _, size, start, _, _, offset, _ = at.unpack(_LONG_DIRECTORY)
        else:
            start, _, size, offset, _ = at.unpack(_DIRECTORY)
        return _Inode(MemberKind.DIRECTORY, mode, number, size, start, offset)

    def _file_inode(self, at: _Cursor, mode: int, number: int, *, extended: bool) -> _Inode:
        if extended:
            start, size, _, _, fragment, offset, _ = at.unpack(_LONG_FILE)
        else:
            start, fragment, offset, size = at.unpack(_FILE)
        if size > self._room:
            raise BadSquashfs(0, f"a file of {size} bytes in an image of {len(self._image)}")
        whole, rest = divmod(size, self._super.block_size)
        count = whole + bool(rest and fragment == _NO_FRAGMENT)
        words = at.take(4 * count)
        blocks = tuple([int.from_bytes(words[i : i + 4], "little") for i in range(0, len(words), 4)])
        return _Inode(MemberKind.FILE, mode, number, size, start, offset, fragment, blocks)

    def _content(self, inode: _Inode) -> Iterator[bytes]:
        at, left = inode.start, inode.size
        for word in inode.blocks:
            expected = min(left, self._super.block_size)
            length = word & (_STORED_BLOCK - 1)
            piece = self._block(at, word) if length else bytes(expected)
            if len(piece) != expected:
                raise BadSquashfs(at, f"a block of {len(piece)} bytes where {expected} belong")
            yield piece
            at += length
            left -= expected
        if left:
            tail = self._fragments.take(inode.fragment)[inode.offset : inode.offset + left]
            if len(tail) != left:
                raise BadSquashfs(inode.start, "a file's end lies beyond its fragment")
            yield tail

    def _block(self, at: int, word: int) -> bytes:
        """Return the data block at `at`; `word` is its stored length with bit 24."""
        raw = take(self._image, at, word & (_STORED_BLOCK - 1), "SquashFS block")
        return raw if word & _STORED_BLOCK else self._expand(raw, self._super.block_size, at)

    def _expanded_fragment(self, number: int) -> bytes:
        if number >= self._super.fragments:
            raise BadSquashfs(self._super.fragment_table, f"there is no fragment {number}")
        row, column = divmod(number, _FRAGMENTS_PER_BLOCK)
        pointer = take(self._image, self._super.fragment_table + 8 * row, 8, "SquashFS fragment table")
        table = _Metadata(self._image, int.from_bytes(pointer, "little"), self._expand)
        entry = table.cursor(0, 16 * column).take(16)
        start, word = int.from_bytes(entry[:8], "little"), int.from_bytes(entry[8:12], "little")
        return self._block(start, word)


class _Fragments:
    """The fragments that files' ends lie in; those that were read first go first."""

    __slots__ = ("_expand", "_kept", "_left", "_size")

    def __init__(self, left: int, expand: Callable[[int], bytes]) -> None:
        self._left = left
        self._expand = expand
        self._kept: dict[int, bytes] = {}
        self._size = 0

    def take(self, number: int) -> bytes:
        """Return the content of a fragment. Raises BadSquashfs, Truncated."""
        known = self._kept.get(number)
        if known is not None:
            return known
        content = self._expand(number)
        self._left -= len(content)
        if self._left < 0:
            raise BadSquashfs(0, f"fragments that expand to over {MAX_SWELL} times the image's size")
        self._size += len(content)
        self._kept[number] = content
        while self._size > KEPT_FRAGMENTS:
            self._size -= len(self._kept.pop(next(iter(self._kept))))
        return content
