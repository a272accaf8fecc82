"""The file as the loader maps it: addresses to bytes through PT_LOAD (pure).

Everything behind PT_DYNAMIC is given by address. The kernel (fs/binfmt_elf.c, elf_map) and glibc
(elf/dl-map-segments.h) map whole pages, so a segment brings the bytes around it in the file as well, and
where two share a page the later one wins. Programs rewritten by patchelf depend on both: their dynamic
section may start behind the segment that maps it, and one table may run through two segments. Only
memory that shows the file counts; what a segment fills with zeros holds no tables.

Segments are taken in order of their addresses, as the gABI demands that they are listed.
"""

from __future__ import annotations

import sys
from array import array

from denizen.bytesio import align_up
from denizen.elf.constants import PT_LOAD
from denizen.elf.faults import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from denizen.bytesio import Buffer
    from denizen.elf.header import Header, Segment

# The smallest page of any architecture. Where pages are larger, linkers align segments to the larger
# ones, and nothing lies in the difference.
PAGE = 4096


class Memory:
    """Reads by address from the mapped part of a file."""

    def __init__(self, buffer: Buffer, header: Header, segments: Iterable[Segment]) -> None:
        self.buffer = buffer
        self.little = header.little
        self.order = header.order
        self.bits = header.bits
        self.machine = header.machine
        self._extents = _extents(segments, len(buffer))

    def locate(self, address: int, structure: str) -> tuple[int, int]:
        """(file offset of `address`, bytes that follow there in file and memory alike).

        Raises:
            Malformed: the address is not mapped from the file.
        """
        for start, end, offset in self._extents:
            if start <= address < end:
                return offset + address - start, end - address
        raise Malformed(structure, "its address is not mapped from the file", address)

    def read(self, address: int, length: int, structure: str) -> bytes:
        """`length` bytes at `address`. Raises Malformed unless all are mapped."""
        data = self.read_to_end(address, length, structure)
        if len(data) < length:
            raise Malformed(structure, f"{length} bytes wanted, {len(data)} mapped", address)
        return data

    def read_to_end(self, address: int, limit: int, structure: str) -> bytes:
        """At most `limit` bytes at `address`, fewer where the mapping ends before."""
        offset, available = self.locate(address, structure)
        data = bytes(self.buffer[offset : offset + min(limit, available)])
        if limit <= available:
            return data
        parts, reached = [data], address + available
        for start, end, offset in self._extents:
            if start == reached and reached - address < limit:
                reached = min(end, address + limit)
                parts.append(bytes(self.buffer[offset : offset + reached - start]))
        return b"".join(parts)

    def numbers(self, code: str, data: bytes) -> array[int]:
        """`data` as unsigned numbers of the file's byte order; `code` is H, I or Q."""
        return numbers(code, data, little=self.little)


def _extents(segments: Iterable[Segment], size: int) -> list[tuple[int, int, int]]:
    """(start, end, file offset) of memory that shows the file, by address and without overlap."""
    extents: list[tuple[int, int, int]] = []
    for segment in sorted((s for s in segments if s.type == PT_LOAD), key=lambda s: s.address):
        start, end, offset = _pages(segment, size)
        if end <= start:
            continue
        if extents and extents[-1][1] > start:
            before, _, at = extents.pop()
            extents += [(before, start, at)] if before < start else []
        if extents and extents[-1][1] == start and extents[-1][2] + start - extents[-1][0] == offset:
            start, offset = extents.pop()[::2]
        extents.append((start, end, offset))
    return extents


def _pages(segment: Segment, size: int) -> tuple[int, int, int]:
    """(start, end, file offset) of what a segment maps, cut at the end of the file."""
    into = segment.address % PAGE
    # A segment that sits differently in its page in file and memory cannot be mapped; nothing is
    # added around it.
    if into != segment.offset % PAGE:
        into = 0
    end = segment.address + segment.file_size
    # What follows a segment on its last page is the file's, unless zero-filled memory starts there.
    if segment.memory_size <= segment.file_size and into == segment.address % PAGE:
        end = align_up(end, PAGE)
    start, offset = segment.address - into, segment.offset - into
    return start, min(end, start + max(0, size - offset)), offset


def numbers(code: str, data: bytes, *, little: bool) -> array[int]:
    """Bytes as an array of unsigned numbers, at the speed of memcpy (and a swap where foreign)."""
    column = array(code, data)
    if little != (sys.byteorder == "little"):
        column.byteswap()
    return column
