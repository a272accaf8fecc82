"""The old bytes of a patched file, kept in the segment that the patch added, so that it can be undone (pure).

    segment: ... size:8 insert_at:8 count:4 ( offset:8 length:4 old bytes )* length of all this:4

all little-endian, at the segment's end. `size` and `insert_at` are the old file's.
"""

from __future__ import annotations

from struct import Struct

from denizen.bytesio import Truncated, take
from denizen.elf.image import read
from denizen.relocate.errors import CannotPatch
from denizen.relocate.new_segment import own_segment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from denizen.bytesio import Buffer
    from denizen.elf import Image
    from denizen.relocate.file_edits import FileEdit

_HEAD, _ROW, _LENGTH = Struct("<QQI"), Struct("<QI"), Struct("<I")
MAX_ROWS = 100_000


def undo_record(edits: Iterable[FileEdit], buffer: Buffer, insert_at: int) -> bytes:
    """Return the record of the bytes that these edits overwrite."""
    rows = [(edit.offset, bytes(buffer[edit.offset : edit.offset + len(edit.content)])) for edit in edits]
    body = _HEAD.pack(len(buffer), insert_at, len(rows))
    body += b"".join([_ROW.pack(offset, len(old)) + old for offset, old in rows])
    return body + _LENGTH.pack(len(body) + _LENGTH.size)


def undone(image: Image) -> bytes | None:
    """Return the file as it was before it was patched; None where that is not recorded.

    Raises:
        CannotPatch, Truncated: the record is damaged.
    """
    own = own_segment(image)
    if own is None or not own.has_undo:
        return None
    segment = take(image.buffer, own.row.offset, own.row.file_size, "segment of a patch")
    (length,) = _LENGTH.unpack_from(segment, len(segment) - _LENGTH.size)
    if not _HEAD.size + _LENGTH.size <= length <= len(segment):
        raise CannotPatch("the record of an earlier patch is damaged")
    record = segment[len(segment) - length : -_LENGTH.size]
    size, insert_at, count = _HEAD.unpack_from(record)
    end = own.row.offset + own.row.file_size
    behind = bytes(image.buffer[end : end + max(0, size - insert_at)])
    if count > MAX_ROWS or not insert_at <= size <= len(image.buffer) or insert_at > own.row.offset:
        raise CannotPatch("the record of an earlier patch is damaged")
    old = bytearray(bytes(image.buffer[:insert_at]) + behind)
    _put_back(old, record, count)
    if len(old) != size:
        raise CannotPatch("the record of an earlier patch is damaged")
    read(old)
    return bytes(old)


def undo_range(image: Image) -> tuple[int, int] | None:
    """Return the (start, end) offsets of the record; None where there is none."""
    own = own_segment(image)
    if own is None or not own.has_undo:
        return None
    end = own.row.offset + own.row.file_size
    (length,) = _LENGTH.unpack(take(image.buffer, end - _LENGTH.size, _LENGTH.size, "record of a patch"))
    return max(own.row.offset, end - length), end


def _put_back(data: bytearray, record: bytes, count: int) -> None:
    place = _HEAD.size
    for _ in range(count):
        if place + _ROW.size > len(record):
            raise Truncated("record of an earlier patch", place, _ROW.size, len(record))
        offset, length = _ROW.unpack_from(record, place)
        old = take(record, place + _ROW.size, length, "record of an earlier patch")
        if offset + length > len(data):
            raise CannotPatch("the record of an earlier patch is damaged")
        data[offset : offset + length] = old
        place += _ROW.size + length
