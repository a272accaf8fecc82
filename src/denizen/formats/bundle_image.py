"""The image of a bundle: its files in blocks that are compressed together (pure).

Specification: docs/formats/bundle.md; the reader is loader/unpack/packed_image.c. Little-endian:

    image  = header(32) block(24)... entry(32)... names frame...
    header = magic(8) version(4) entries(4) blocks(4) size of names(4) largest block expanded(8)
    block  = offset in the image(8) size(8) size expanded(8)
    entry  = offset of its name(4) kind(4) block(4) modified(4) offset in the block(8) size(8)

Each block is one Zstandard frame. Names end in NUL, and are below the bundle's directory; each directory
comes before what is in it. The same files in the same order give the same bytes.
"""

from __future__ import annotations

import struct

from denizen.bytesio import take
from denizen.errors import BadInput
from denizen.value import Enum, value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from denizen.bytesio import Buffer

MAGIC = b"DENIZENB"
VERSION = 2
HEADER = struct.Struct("<8sIIIIQ")
BLOCK = struct.Struct("<QQQ")
ENTRY = struct.Struct("<IIIIQQ")
MAX_ENTRIES = 1 << 20
MAX_BLOCK = 1 << 31
MAX_TIME = (1 << 32) - 1
# Bytes. Files of one block know each other's words; the launcher holds one block in memory.
_BLOCK_ROOM = 16 << 20


class EntryKind(Enum):
    """The kinds of an image's entries, as numbers of the format."""

    DIRECTORY = 0
    FILE = 1
    PROGRAM = 2
    LINK = 3


class BadImage(BadInput):
    """The error that a bundle's image breaks its format."""

    rule: str
    WHAT = "this is not a bundle's image"
    WHY = "{rule:text}"


@value
class ImageEntry:
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


@value
class _Block:
    """One block's content, and the places of entries in it."""

    content: bytes
    entries: tuple[tuple[ImageEntry, int], ...]


def encode(entries: Sequence[ImageEntry], compress: Callable[[bytes], bytes]) -> bytes:
    """Return the image of these entries; directories of files are added. `compress` makes a zstd frame.

    Raises BadImage: a name leaves the directory, or occurs twice.
    """
    directories = _directories(entries)
    _check(entries, directories)
    blocks = list(_blocks(entries))
    frames = [compress(block.content) for block in blocks]
    names = bytearray(b"\0")
    rows = bytearray()
    for name in directories:
        rows += ENTRY.pack(len(names), EntryKind.DIRECTORY.value, 0, 0, 0, 0)
        names += name + b"\0"
    for number, block in enumerate(blocks):
        for entry, at in block.entries:
            modified = min(max(0, entry.modified), MAX_TIME)
            rows += ENTRY.pack(len(names), entry.kind.value, number, modified, at, len(entry.content))
            names += entry.name + b"\0"
    count = len(rows) // ENTRY.size
    largest = max((len(block.content) for block in blocks), default=0)
    at = HEADER.size + len(blocks) * BLOCK.size + len(rows) + len(names)
    places = bytearray()
    for block, frame in zip(blocks, frames, strict=True):
        places += BLOCK.pack(at, len(frame), len(block.content))
        at += len(frame)
    head = HEADER.pack(MAGIC, VERSION, count, len(blocks), len(names), largest)
    return head + bytes(places) + bytes(rows) + bytes(names) + b"".join(frames)


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
    places = list(BLOCK.iter_unpack(take(image, at, blocks * BLOCK.size, "blocks")))
    at += blocks * BLOCK.size
    rows = list(ENTRY.iter_unpack(take(image, at, count * ENTRY.size, "entries")))
    names = take(image, at + count * ENTRY.size, names_size, "names")
    if not names.endswith(b"\0") or any(size > largest for _, _, size in places):
        raise BadImage("its names do not end, or a block is larger than the largest")
    contents = [expand(take(image, offset, size, "block"), expanded) for offset, size, expanded in places]
    return [_entry(row, names, contents) for row in rows]


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
    if block >= len(contents) or at + size > len(contents[block]):
        raise BadImage("an entry lies outside of its block")
    return ImageEntry(name, kind, contents[block][at : at + size], modified)
