"""Parser of ISO 9660 images with Rock Ridge and zisofs, which AppImages of type 1 are (pure).

Specifications: ECMA-119 (the file system), IEEE P1281 (SUSP) and P1282 (Rock Ridge: names, modes, links), and
the kernel's fs/isofs for zisofs (compress.c, rock.h).

    image     = 16 sectors of 2048 bytes for others (here an ELF file's beginning), volume descriptors, ...
    record    = { length:1 ... block:8 size:8 ... flags:1 ... name length:1 name, system use }
    system use = { signature:2 length:1 version:1 ... }*, which goes on elsewhere by CE
    zisofs    = { magic:8 size:4 header size/4:1 log2 of the block size:1 zero:2, pointers:4*, blocks }

Numbers are there in both byte orders; the little-endian one is read. Members are given as squashfs's are, so
that `archive_tree.entries` checks names and links: an image may hold loops, doubles, devices and huge claims.

Limits: MAX_MEMBERS records, directories MAX_DEPTH deep, MAX_LISTING bytes of one directory, MAX_AREAS pieces
of one record's system use. Files that claim more than MAX_SWELL times the image's own size, and SMALL bytes,
are refused: many records may name one extent. Not read: interleaved files, zisofs of version 2, Joliet and
UDF (a name without Rock Ridge is ISO 9660's own, in lower case).
"""

from __future__ import annotations

import zlib
from struct import Struct

from denizen.bytesio import take
from denizen.errors import BadInput
from denizen.formats.tar import MemberKind, TarMember
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.bytesio import Buffer

SECTOR = 2048
MAX_MEMBERS = 1_000_000
MAX_DEPTH = 64
MAX_LISTING = 32 << 20
MAX_AREAS = 64
MAX_SWELL = 64
SMALL = 4 << 20
_FIRST_DESCRIPTOR, _MAX_DESCRIPTORS = 16, 32
_PRIMARY, _LAST_DESCRIPTOR = 1, 255
_ROOT_AT = 156
_PIECE = 1 << 20
# length, length of extended attributes, block, size, flags, interleaving, length of the name.
_RECORD = Struct("<BBI4xI4x7xBBB4xB")
_IS_DIRECTORY, _GOES_ON = 2, 0x80
_ZISOFS_MAGIC = bytes.fromhex("37e45396c9dbd607")
_ZISOFS = Struct("<8sIBB2x")
_KINDS = {
    0o140000: MemberKind.FIFO,  # a socket: as useless in a tree as a pipe
    0o120000: MemberKind.SYMLINK,
    0o100000: MemberKind.FILE,
    0o060000: MemberKind.BLOCK_DEVICE,
    0o040000: MemberKind.DIRECTORY,
    0o020000: MemberKind.CHARACTER_DEVICE,
    0o010000: MemberKind.FIFO,
}
_COMPONENTS = {2: b".", 4: b"..", 8: b"/"}


class BadIso(BadInput):
    """Bytes are not an ISO 9660 image that can be read.

    Attributes:
        offset: byte of the image at which the fault was seen.
    """

    offset: int
    reason: str
    WHAT = "the ISO 9660 image is malformed at byte {offset}"
    WHY = "{reason:text}"


class Extent(Value):
    """A run of bytes in the image."""

    start: int
    size: int


class _Zisofs(Value):
    """The size of a compressed file, and the base-2 logarithm of its block size."""

    size: int
    log: int


class _Record(Value):
    """One directory record with its Rock Ridge fields.

    Attributes:
        end: byte of the image behind the record.
        extent: a file's first bytes, a directory's listing.
        goes_on: the next record has more of the same file.
        moved: the block of a directory that lies elsewhere (CL); 0 for none.
        hidden: it is such a directory at the place where it lies (RE).
    """

    end: int
    name: bytes
    extent: Extent
    goes_on: bool
    kind: MemberKind
    mode: int
    target: bytes
    zisofs: _Zisofs | None
    moved: int
    hidden: bool


def members(image: Buffer) -> Iterator[TarMember]:
    """Yield every member, directories before their contents, names in the image's order.

    A member's content is to be read before the next is asked for.

    Raises:
        BadIso, Truncated: the image contradicts its format or a limit above.
    """
    yield from _Iso(image).members()


def is_iso(image: Buffer) -> bool:
    """Tell whether the first volume descriptor is where ISO 9660 has it."""
    at = _FIRST_DESCRIPTOR * SECTOR
    return bytes(image[at + 1 : at + 6]) == b"CD001"


class _Iso:
    def __init__(self, image: Buffer) -> None:
        self._image = image
        self._left = MAX_MEMBERS
        self._room = SMALL + MAX_SWELL * len(image)
        self._skip = 0

    def members(self) -> Iterator[TarMember]:
        """Walk the tree without recursion: `pending` holds what is still to be listed."""
        root = self._root()
        pending, listed = [(b"", root, 0)], {root.start}
        while pending:
            path, directory, depth = pending.pop()
            for record, extents in self._entries(directory):
                below = path + b"/" + record.name if path else record.name
                self._count(record, extents)
                if record.kind is MemberKind.DIRECTORY:
                    # A directory has one name: a second one would make a loop, or 2**MAX_DEPTH members.
                    if extents[0].start in listed or depth == MAX_DEPTH:
                        raise BadIso(extents[0].start, "a directory that is listed twice, or too deep")
                    listed.add(extents[0].start)
                    pending.append((below, extents[0], depth + 1))
                yield self._member(below, record, extents)

    def _count(self, record: _Record, extents: list[Extent]) -> None:
        self._left -= 1
        if record.kind is MemberKind.FILE:
            self._room -= record.zisofs.size if record.zisofs else sum(one.size for one in extents)
        if self._left < 0 or self._room < 0:
            reason = f"over {MAX_MEMBERS} members, or files of {MAX_SWELL} times the image's size"
            raise BadIso(extents[0].start, reason)

    def _member(self, path: bytes, record: _Record, extents: list[Extent]) -> TarMember:
        if record.kind is not MemberKind.FILE:
            return TarMember(path, record.kind, record.mode, 0, record.target)
        if record.zisofs is not None:
            content = self._expanded(extents, record.zisofs)
            return TarMember(path, MemberKind.FILE, record.mode, record.zisofs.size, b"", content)
        size = sum(one.size for one in extents)
        return TarMember(path, MemberKind.FILE, record.mode, size, b"", self._stored(extents))

    def _root(self) -> Extent:
        for number in range(_FIRST_DESCRIPTOR, _FIRST_DESCRIPTOR + _MAX_DESCRIPTORS):
            at = number * SECTOR
            descriptor = take(self._image, at, SECTOR, "ISO 9660 volume descriptor")
            if descriptor[1:6] != b"CD001":
                raise BadIso(at, "it has no volume descriptor")
            if descriptor[0] == _PRIMARY:
                size = int.from_bytes(descriptor[128:130], "little")
                if size != SECTOR:
                    raise BadIso(at + 128, f"blocks of {size} bytes; only {SECTOR} are read")
                return self._with_offset(self._record(at + _ROOT_AT).extent)
            if descriptor[0] == _LAST_DESCRIPTOR:
                break
        raise BadIso(_FIRST_DESCRIPTOR * SECTOR, "it has no primary volume descriptor")

    def _with_offset(self, root: Extent) -> Extent:
        """Note by how much system use begins later (SP), as the root's first record says."""
        start, end = self._system_use(root.start)
        area = take(self._image, start, end - start, "ISO 9660 system use")
        if area[:2] == b"SP" and len(area) >= 7 and area[4:6] == b"\xbe\xef":
            self._skip = area[6]
        return root

    def _entries(self, directory: Extent) -> Iterator[tuple[_Record, list[Extent]]]:
        """Yield each name's record with the extents of all records that go on with it."""
        if directory.size > MAX_LISTING:
            raise BadIso(directory.start, f"a directory's listing of {directory.size} bytes")
        extents: list[Extent] = []
        for record in self._records(directory):
            if record.moved:
                yield record, [self._moved(record.moved)]
                continue
            extents.append(record.extent)
            if not record.goes_on:
                yield record, extents
                extents = []

    def _records(self, directory: Extent) -> Iterator[_Record]:
        at, end = directory.start, directory.start + directory.size
        take(self._image, at, directory.size, "ISO 9660 directory")
        while at < end:
            length = self._image[at]
            if not length:  # no record crosses the end of a sector
                at += SECTOR - (at - directory.start) % SECTOR
                continue
            record = self._record(at)
            if record.end > end:
                raise BadIso(at, "a record that crosses its directory's end")
            at = record.end
            if record.name not in (b"\0", b"\1") and not record.hidden:
                yield record

    def _moved(self, block: int) -> Extent:
        """Return the listing of a directory that lies elsewhere, by its own first record."""
        return self._record(block * SECTOR).extent

    def _system_use(self, at: int) -> tuple[int, int]:
        length, *_, name_length = _RECORD.unpack(take(self._image, at, _RECORD.size, "ISO 9660 record"))
        start = at + _RECORD.size + name_length + (not name_length % 2)
        return min(start, at + length), at + length

    def _record(self, at: int) -> _Record:
        fields = _RECORD.unpack(take(self._image, at, _RECORD.size, "ISO 9660 record"))
        length, attributes, block, size, flags, unit, gap, name_length = fields
        if length < _RECORD.size + name_length:
            raise BadIso(at, f"a record of {length} bytes")
        if unit or gap:
            raise BadIso(at, "an interleaved file")
        name = bytes(take(self._image, at + _RECORD.size, name_length, "ISO 9660 name"))
        start, end = self._system_use(at)
        rock = _RockRidge(self._image, start + self._skip, end)
        plain = MemberKind.DIRECTORY if flags & _IS_DIRECTORY else MemberKind.FILE
        kind = MemberKind.DIRECTORY if rock.moved else _KINDS.get(rock.mode & 0o170000, plain)
        if kind is MemberKind.DIRECTORY and plain is not kind and not rock.moved:
            raise BadIso(at, "a directory by one field and a file by another")
        return _Record(
            end=at + length,
            name=rock.name or _own_name(name),
            extent=Extent((block + attributes) * SECTOR, size),
            goes_on=bool(flags & _GOES_ON),
            kind=kind,
            mode=rock.mode & 0o7777 or (0o755 if kind is MemberKind.DIRECTORY else 0o555),
            target=rock.target,
            zisofs=rock.zisofs,
            moved=rock.moved,
            hidden=rock.hidden,
        )

    def _stored(self, extents: list[Extent]) -> Iterator[bytes]:
        for extent in extents:
            for at in range(extent.start, extent.start + extent.size, _PIECE):
                size = min(_PIECE, extent.start + extent.size - at)
                yield bytes(take(self._image, at, size, "ISO 9660 file"))

    def _expanded(self, extents: list[Extent], zisofs: _Zisofs) -> Iterator[bytes]:
        if len(extents) != 1:
            raise BadIso(extents[0].start, "a compressed file in several pieces")
        start, whole = extents[0].start, extents[0].size
        content = take(self._image, start, whole, "ISO 9660 file")
        magic, size, header, log = _ZISOFS.unpack(take(content, 0, _ZISOFS.size, "zisofs header"))
        if magic != _ZISOFS_MAGIC or size != zisofs.size or log != zisofs.log:
            raise BadIso(start, "a zisofs header that differs from its record")
        count = -(-size >> log) if size else 0
        table = take(content, header * 4, 4 * (count + 1), "zisofs pointers") if count else b""
        places = [int.from_bytes(table[i : i + 4], "little") for i in range(0, len(table), 4)]
        for number in range(count):
            expected = min(1 << log, size - (number << log))
            first, last = places[number], places[number + 1]
            raw = take(content, first, max(last - first, 0), "zisofs block")
            yield self._block(raw, expected, start + first) if raw else bytes(expected)

    def _block(self, raw: bytes, expected: int, at: int) -> bytes:
        decoder = zlib.decompressobj()
        try:
            content = decoder.decompress(raw, expected + 1)
        except zlib.error as problem:
            raise BadIso(at, str(problem)) from problem
        if len(content) != expected or not decoder.eof:
            raise BadIso(at, f"a block of {len(content)} bytes where {expected} belong")
        return content


class _RockRidge:
    """The fields of one record's system use that a tree needs."""

    def __init__(self, image: Buffer, start: int, end: int) -> None:
        self.name = self.target = b""
        self.mode = self.moved = 0
        self.hidden = False
        self.zisofs: _Zisofs | None = None
        self._joins = True
        areas = [(start, end)]
        for number, (first, last) in enumerate(areas):
            if number == MAX_AREAS:
                raise BadIso(first, f"over {MAX_AREAS} pieces of system use")
            areas.extend(self._read(image, first, last))

    def _read(self, image: Buffer, at: int, end: int) -> Iterator[tuple[int, int]]:
        """Read one area; yield the places where it goes on."""
        while at + 4 <= end:
            length = image[at + 2] if at + 2 < len(image) else 0
            if length < 4 or at + length > end:
                return  # what is no entry ends the area, as for the kernel
            entry = bytes(take(image, at, length, "ISO 9660 system use"))
            at += length
            if entry[:2] == b"ST":
                return
            if entry[:2] == b"CE" and length >= 28:
                block, offset, size = (int.from_bytes(entry[i : i + 4], "little") for i in (4, 12, 20))
                yield block * SECTOR + offset, block * SECTOR + offset + size
            self._take(entry[:2], entry)

    def _take(self, signature: bytes, entry: bytes) -> None:
        if signature == b"NM" and len(entry) >= 5 and not entry[4] & 6:
            self.name += entry[5:]
        elif signature == b"PX" and len(entry) >= 12:
            self.mode = int.from_bytes(entry[4:8], "little")
        elif signature == b"SL" and len(entry) >= 5:
            self._link(entry[5:])
        elif signature == b"CL" and len(entry) >= 12:
            self.moved = int.from_bytes(entry[4:8], "little")
        elif signature == b"RE":
            self.hidden = True
        elif signature == b"ZF" and len(entry) >= 16:
            if entry[4:6] != b"pz" or not 12 <= entry[7] <= 20:
                raise BadIso(0, "a compression that denizen does not read")
            self.zisofs = _Zisofs(int.from_bytes(entry[8:12], "little"), entry[7])

    def _link(self, components: bytes) -> None:
        """Add components to the target: a slash is between two, unless the first one goes on."""
        at = 0
        while at + 2 <= len(components):
            flags, length = components[at], components[at + 1]
            text = _COMPONENTS.get(flags & 14, components[at + 2 : at + 2 + length])
            at += 2 + length
            if not self._joins and not self.target.endswith(b"/"):
                self.target += b"/"
            self.target += text
            self._joins = bool(flags & 1)


def _own_name(name: bytes) -> bytes:
    """Return a name of ISO 9660 as the kernel shows it: without version, in lower case."""
    if name in (b"\0", b"\1"):
        return name
    bare, _, version = name.partition(b";")
    return (bare.rstrip(b".") if version or bare != name else name).lower()
