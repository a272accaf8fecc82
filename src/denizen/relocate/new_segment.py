"""One more segment for the parts that find no room in the file as it is (pure).

It comes behind all others in memory, on pages of its own for every size of pages, and its content is put in
behind everything that is mapped. It starts with a mark, so that the next patch builds it anew in its place
instead of adding another:

    magic:16 length of the string table before the first patch:8 1 if the old bytes are at its end:8

all little-endian; patch_undo.py has the old bytes.
"""

from __future__ import annotations

from _operator import itemgetter  # not operator, whose Python module takes 0.6 ms to import
from struct import Struct

from denizen.bytesio import align_up
from denizen.elf import Segment
from denizen.elf import constants as c
from denizen.relocate.errors import CannotPatch
from denizen.relocate.page_size import page_size
from denizen.relocate.patch_room import FilePlace
from denizen.relocate.payload_rules import comment_length_at, insertion
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.elf import Image
    from denizen.relocate.patch_room import GrownPart

MARK = b"\x7fdenizen patch\0\1"
RECORD = Struct("<16sQQ")
# The largest gap in a file that keeps the program headers where old kernels look: zeros, which file systems
# need not store. Less for a file smaller than any that a linker makes: some thousand of those, which claim
# to have memory, would fill a disk.
MAX_GAP = 64 << 20
GAP_OF_ALL = 1 << 20
GAP_PER_BYTE = 4096
_ADDRESS = itemgetter(3)


class OwnSegment(Value):
    """The segment that an earlier patch added.

    Attributes:
        index: its row in the program header table.
        row: the row.
        strings: the length of the string table before; 0 where that was not moved.
        has_undo: the file's old bytes are at its end.
    """

    index: int
    row: Segment
    strings: int
    has_undo: bool

    def holds(self, offset: int) -> bool:
        """Tell whether a file offset lies in it."""
        return self.row.offset <= offset < self.row.offset + self.row.file_size


class Ground(Value):
    """The start of a segment to be laid out, and what is done to the file for it.

    Attributes:
        place: of its first byte.
        insert_at, cut, padding, tail: as in a FilePlan.
        comment: as in an Insertion.
    """

    place: FilePlace
    insert_at: int
    cut: int = 0
    padding: int = 0
    tail: bytes = b""
    comment: int = 0


def own_segment(image: Image) -> OwnSegment | None:
    """Return the segment of an earlier patch if it can be built anew: nothing mapped lies behind it."""
    row = max(image.loads, key=_ADDRESS, default=None)
    if row is None or bytes(image.buffer[row.offset : row.offset + len(MARK)]) != MARK:
        return None
    if not RECORD.size <= row.file_size == row.memory_size or row.offset + row.file_size != image.end:
        return None
    _, strings, undo = RECORD.unpack(image.buffer[row.offset : row.offset + RECORD.size])
    return OwnSegment(image.segments.index(row), row, strings, bool(undo))


def new_ground(image: Image, *, has_headers: bool) -> Ground:
    """Return where a new segment starts.

    `has_headers`: it will hold the program headers, so its distance of address and offset is the first one's.

    Raises:
        CannotPatch: there is no room in the address space or in the file.
    """
    segments = image.loads
    if not segments:
        raise CannotPatch("it has no segment that is loaded")
    page, wanted = page_size(image), insertion(image)
    at = align_up(wanted.offset, 16)
    free = align_up(max(one.address + one.memory_size for one in segments), page)
    address = free + at % page
    if has_headers:
        distance = segments[0].address - segments[0].offset
        at = max(at, free - distance)
        address = at + distance
    if at - wanted.offset > min(MAX_GAP, GAP_OF_ALL + GAP_PER_BYTE * len(image.buffer)):
        raise CannotPatch(
            f"its zero-filled memory would make a gap of {at - wanted.offset} bytes in the file"
        )
    return Ground(FilePlace(at, address), wanted.offset, 0, at - wanted.offset, wanted.tail, wanted.comment)


def ground_of(image: Image, own: OwnSegment) -> Ground:
    """Return the start of the segment that is built anew."""
    row = own.row
    is_last = row.offset + row.file_size == len(image.buffer)
    comment = comment_length_at(image.buffer, row.offset) if is_last else 0
    return Ground(FilePlace(row.offset, row.address), row.offset, row.file_size, comment=comment)


def laid_out(ground: Ground, parts: Sequence[GrownPart]) -> tuple[dict[str, FilePlace], int]:
    """Return the places of the parts in the segment, and its size."""
    places, size = {}, RECORD.size
    for part in parts:
        size = align_up(size, 8)
        places[part.name] = FilePlace(ground.place.offset + size, ground.place.address + size)
        size += part.size
    return places, size


def row_of(image: Image, ground: Ground, size: int, *, writable: bool) -> Segment:
    """Return the segment's program header. Raises CannotPatch: it does not fit into the address space."""
    place = ground.place
    # Half of what the class can address: the kernel's own part begins there at the latest.
    if place.address + size >= 1 << (image.header.bits - 1):
        raise CannotPatch("no addresses are left behind its segments")
    flags = c.PF_R | (c.PF_W if writable else 0)
    return Segment(c.PT_LOAD, flags, place.offset, place.address, place.address, size, size, page_size(image))


def content(
    ground: Ground, size: int, strings: int, parts: dict[str, tuple[FilePlace, bytes]], undo: bytes
) -> bytes:
    """Return the segment's bytes; `strings` is the string table's former length."""
    data = bytearray(size - len(undo)) + undo
    RECORD.pack_into(data, 0, MARK, strings, bool(undo))
    for place, piece in parts.values():
        at = place.offset - ground.place.offset
        data[at : at + len(piece)] = piece
    return bytes(data)
