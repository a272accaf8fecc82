"""The image of a bundle: its files in blocks that are compressed together (pure).

Specification: docs/formats/bundle.md; the reader is loader/unpack/packed_image.c. Little-endian:

    image  = header(32) block(24)... entry(32)... names frame...
    header = magic(8) version(4) entries(4) blocks(4) size of names(4) largest block expanded(8)
    block  = offset in the image(8) size(8) size expanded(4) method(4)
    entry  = offset of its name(4) kind(4) block(4) modified(4) offset in the block(8) size(8)

Each block is one Zstandard frame, one LZMA stream, or stored as it is; of the first two, what is compressed
may have addresses for distances (formats.x86_addresses) and short unwind tables (formats.unwind_tables).
An entry's content may go on in the blocks behind,
from their beginnings. Names end in NUL, and are below the bundle's directory; each directory comes before
what is in it. The same files in the same order give the same bytes.

The blocks may lie in another format's image behind this one, as they do in an AppImage (`encode_over`).
"""

from __future__ import annotations

import struct

from denizen.bytesio import align_up, take
from denizen.errors import BadInput
from denizen.formats.unwind_tables import restored, shortened
from denizen.formats.x86_addresses import with_addresses, with_distances
from denizen.value import Enum, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from denizen.bytesio import Buffer
    from denizen.formats.squashfs_writer import StoredFile, StoredPiece

MAGIC = b"DENIZENB"
VERSION = 5
HEADER = struct.Struct("<8sIIIIQ")
BLOCK = struct.Struct("<QQII")
ENTRY = struct.Struct("<IIIIQQ")
MAX_ENTRIES = 1 << 20
MAX_BLOCK = 1 << 31
MAX_TIME = (1 << 32) - 1
# For the section headers of an AppImage's runtime (launch.bundle_launcher).
_SPARE = 384
# Bytes. Files of one block know each other's words; the launcher holds one block in memory.
_BLOCK_ROOM = 16 << 20


class EntryKind(Enum):
    """The kinds of an image's entries, as numbers of the format."""

    DIRECTORY = 0
    FILE = 1
    PROGRAM = 2
    LINK = 3


class BlockMethod(Enum):
    """The ways in which a block is compressed, as numbers of the format."""

    STORED = 0
    ZSTD = 1
    LZMA = 2


# Added to the method of a block in which formats.x86_addresses replaced distances, and of one whose unwind
# tables formats.unwind_tables shortened before that.
WITH_ADDRESSES, WITH_SHORT_UNWIND = 0x100, 0x200


class BadImage(BadInput):
    """The error that a bundle's image breaks its format."""

    rule: str
    WHAT = "this is not a bundle's image"
    WHY = "{rule:text}"


class ImageEntry(Value):
    """A file, directory or symbolic link of a bundle.

    Attributes:
        name: its path below the bundle's directory.
        kind: a program is a file that may be executed.
        content: a file's bytes, or where a link leads.
        modified: a file's time, in seconds since 1970.
    """

    name: bytes
    kind: EntryKind
    content: Buffer = b""
    modified: int = 1


class PlacedBlock(Value):
    """A block as the image has it.

    Attributes:
        at: its offset in the image.
        size: bytes there.
        expanded: bytes of content.
        method: how it is compressed, with or without WITH_ADDRESSES and WITH_SHORT_UNWIND.
    """

    at: int
    size: int
    expanded: int
    method: int


class _Block(Value):
    """One block's content, and the places of entries in it."""

    content: bytes
    entries: tuple[tuple[ImageEntry, int], ...]


def encode(
    entries: Sequence[ImageEntry],
    compress: Callable[[bytes], bytes],
    *,
    method: BlockMethod = BlockMethod.ZSTD,
    x86: bool = False,
) -> bytes:
    """Return the image of these entries; directories of files are added.

    Args:
        entries: of the tree.
        compress: makes a frame of a block's content.
        method: by which it does so.
        x86: replace distances in code by addresses first.

    Raises BadImage: a name leaves the directory, or occurs twice.
    """
    _check(entries, _directories(entries))
    blocks = list(_blocks(entries))
    places = [
        _Placed(entry, number, at) for number, block in enumerate(blocks) for entry, at in block.entries
    ]
    index = _Index(_directories(entries), places)
    rows, frames, at = [], [], index.size(len(blocks))
    for block in blocks:
        frame, how = _packed_block(block.content, compress, method, x86=x86)
        rows.append(PlacedBlock(at, len(frame), len(block.content), how))
        frames.append(frame)
        at += len(frame)
    return index.packed(rows) + b"".join(frames)


def _packed_block(
    content: bytes, compress: Callable[[bytes], bytes], method: BlockMethod, *, x86: bool
) -> tuple[bytes, int]:
    """Return a block's bytes in the image with their method; what does not get smaller is stored as it is."""
    short = shortened(content)
    made = content if short is None else short
    frame = compress(with_addresses(made) if x86 else made)
    if len(frame) >= len(content):
        return content, BlockMethod.STORED.value
    changes = (WITH_ADDRESSES if x86 else 0) + (WITH_SHORT_UNWIND if made != content else 0)
    return frame, method.value + changes


def encode_over(entries: Sequence[ImageEntry], stored: Mapping[bytes, StoredFile], alignment: int) -> bytes:
    """Return an image for files whose content lies in a SquashFS image, which is to follow at once.

    Args:
        entries: of the tree; where links lead is kept here.
        stored: where the content of each file is, by its name.
        alignment: of the size of what is returned.

    At the end it has zeros for section headers (launch.bundle_launcher). Raises BadImage: a name leaves the
    directory, or occurs twice.
    """
    _check(entries, _directories(entries))
    pieces = sorted({piece.at: piece for one in stored.values() for piece in one.pieces}.items())
    number_of = {at: number for number, (at, _) in enumerate(pieces)}
    links = [entry for entry in entries if entry.kind is EntryKind.LINK]
    targets = b"".join(bytes(entry.content) for entry in links)
    places, at = [], 0
    for link in links:
        places.append(_Placed(link, len(pieces), at))
        at += len(link.content)
    for entry in entries:
        if entry.kind in (EntryKind.FILE, EntryKind.PROGRAM):
            one = stored[entry.name]
            first = number_of[one.pieces[0].at] if one.pieces else len(pieces)
            places.append(_Placed(entry, first, one.offset))
    index = _Index(_directories(entries), sorted(places, key=lambda one: (one.block, one.at)))
    own = index.size(len(pieces) + 1)
    base = align_up(own + len(targets) + _SPARE, alignment)
    rows = [
        PlacedBlock(base + piece.at, piece.size, piece.expanded, _method_of(piece).value)
        for _, piece in pieces
    ]
    stored_targets = PlacedBlock(own, len(targets), len(targets), BlockMethod.STORED.value)
    content = index.packed([*rows, stored_targets]) + targets
    return content.ljust(base, b"\0")


def _method_of(piece: StoredPiece) -> BlockMethod:
    return BlockMethod.STORED if piece.size == piece.expanded else BlockMethod.ZSTD


class _Placed(Value):
    """An entry with the number of the block where its content begins, and the offset in that."""

    entry: ImageEntry
    block: int
    at: int


class _Index(Value):
    """All of an image but its blocks."""

    directories: Sequence[bytes]
    places: Sequence[_Placed]

    def size(self, blocks: int) -> int:
        """Return its size with so many blocks."""
        names = 1 + sum(len(name) + 1 for name in (*self.directories, *(p.entry.name for p in self.places)))
        count = len(self.directories) + len(self.places)
        return HEADER.size + blocks * BLOCK.size + count * ENTRY.size + names

    def packed(self, blocks: Sequence[PlacedBlock]) -> bytes:
        """Return its bytes."""
        names, rows = bytearray(b"\0"), bytearray()
        for name in self.directories:
            rows += ENTRY.pack(len(names), EntryKind.DIRECTORY.value, 0, 0, 0, 0)
            names += name + b"\0"
        for one in self.places:
            modified, size = min(max(0, one.entry.modified), MAX_TIME), len(one.entry.content)
            rows += ENTRY.pack(len(names), one.entry.kind.value, one.block, modified, one.at, size)
            names += one.entry.name + b"\0"
        expanded = [block.expanded for block in blocks]
        runs = [sum(expanded[first:end]) for first, end in (self._run(one, expanded) for one in self.places)]
        largest = max((*expanded, *runs), default=0)
        count = len(rows) // ENTRY.size
        head = HEADER.pack(MAGIC, VERSION, count, len(blocks), len(names), largest)
        packed = b"".join(BLOCK.pack(one.at, one.size, one.expanded, one.method) for one in blocks)
        return head + packed + bytes(rows) + bytes(names)

    @staticmethod
    def _run(one: _Placed, expanded: Sequence[int]) -> tuple[int, int]:
        """Return the first block of an entry, and the one behind its last."""
        left, end = one.at + len(one.entry.content), one.block
        while left > 0:
            left -= expanded[end]
            end += 1
        return one.block, end


def _directories(entries: Sequence[ImageEntry]) -> list[bytes]:
    """Return the directories that entries need, each after the one it is in."""
    found = {entry.name for entry in entries if entry.kind is EntryKind.DIRECTORY}
    for entry in entries:
        parts = entry.name.split(b"/")[:-1]
        found |= {b"/".join(parts[: length + 1]) for length in range(len(parts))}
    return sorted(found)


def _check(entries: Sequence[ImageEntry], directories: Sequence[bytes]) -> None:
    files = [entry.name for entry in entries if entry.kind is not EntryKind.DIRECTORY]
    if len(set(files)) < len(files) or not set(files).isdisjoint(directories):
        raise BadImage("two entries have one name")
    for name in (*files, *directories):
        if not is_below(name):
            raise BadImage(f"{name!r} leaves the bundle's directory")


def is_below(name: bytes) -> bool:
    """Tell whether a name has no empty part, no `.` and no `..`, and holds no NUL."""
    return b"\0" not in name and all(part not in (b"", b".", b"..") for part in name.split(b"/"))


def _blocks(entries: Iterable[ImageEntry]) -> Iterator[_Block]:
    """Yield the entries but directories in blocks; a larger file has a block of its own."""
    content = bytearray()
    places: list[tuple[ImageEntry, int]] = []
    for entry in entries:
        if entry.kind is EntryKind.DIRECTORY:
            continue
        if places and len(content) + len(entry.content) > _BLOCK_ROOM:
            yield _Block(bytes(content), tuple(places))
            content, places = bytearray(), []
        places.append((entry, len(content)))
        content += entry.content
    if places:
        yield _Block(bytes(content), tuple(places))


def decode(image: Buffer, expand: Callable[[bytes, int], bytes]) -> list[ImageEntry]:
    """Return the entries of an image. `expand` returns the content of a frame, of the size it is given.

    Raises:
        BadImage: a rule of the format is broken. And what `expand` raises.
    """
    magic, version, count, blocks, names_size, largest = HEADER.unpack(take(image, 0, HEADER.size, "header"))
    if magic != MAGIC or version != VERSION or max(count, blocks) > MAX_ENTRIES or largest > MAX_BLOCK:
        raise BadImage("its header is another version's, or states too much")
    at = HEADER.size
    places = [PlacedBlock(*row) for row in BLOCK.iter_unpack(take(image, at, blocks * BLOCK.size, "blocks"))]
    at += blocks * BLOCK.size
    rows = list(ENTRY.iter_unpack(take(image, at, count * ENTRY.size, "entries")))
    names = take(image, at + count * ENTRY.size, names_size, "names")
    if not names.endswith(b"\0") or any(one.expanded > largest for one in places):
        raise BadImage("its names do not end, or a block is larger than the largest")
    contents = [_expanded(take(image, one.at, one.size, "block"), one, expand) for one in places]
    return [_entry(row, names, contents) for row in rows]


def _expanded(raw: bytes, block: PlacedBlock, expand: Callable[[bytes, int], bytes]) -> bytes:
    method = block.method & ~(WITH_ADDRESSES | WITH_SHORT_UNWIND)
    if method > BlockMethod.LZMA.value or (
        method == BlockMethod.STORED.value and block.size != block.expanded
    ):
        raise BadImage("a block is of a kind that this version does not know")
    content = raw if method == BlockMethod.STORED.value else expand(raw, block.expanded)
    if block.method & WITH_ADDRESSES:
        content = with_distances(content)
    return restored(content) if block.method & WITH_SHORT_UNWIND else content


def _run_from(contents: Sequence[bytes], block: int, end: int) -> bytes:
    """Return the content of as many blocks as have `end` bytes; fewer bytes where there are not as many."""
    if block < len(contents) and end <= len(contents[block]):
        return contents[block]
    found = bytearray()
    for content in contents[block:]:
        found += content
        if len(found) >= end:
            break
    return bytes(found)


def _entry(row: Sequence[int], names: bytes, contents: Sequence[bytes]) -> ImageEntry:
    name_at, number, block, modified, at, size = row
    if name_at >= len(names) or number > EntryKind.LINK.value:
        raise BadImage("an entry has a value that this version does not know")
    name = names[name_at : names.index(b"\0", name_at)]
    kind = EntryKind(number)
    if not is_below(name):
        raise BadImage("a name leaves the bundle's directory")
    if kind is EntryKind.DIRECTORY:
        if size or at:
            raise BadImage("a directory has content")
        return ImageEntry(name, kind)
    run = _run_from(contents, block, at + size)
    if block >= len(contents) or at > len(contents[block]) or at + size > len(run):
        raise BadImage("an entry lies outside of its blocks")
    return ImageEntry(name, kind, run[at : at + size], modified)
