"""The segments that a loader maps, PT_LOAD: addresses of the program to bytes of its file (pure).

The tables that PT_DYNAMIC refers to are given by address. The kernel (fs/binfmt_elf.c, elf_map) and glibc
(elf/dl-map-segments.h) map whole pages, so a segment maps the bytes around it in the file as well, and
where two segments share a page the later one wins. Programs rewritten by patchelf depend on both: their
dynamic section may start behind the segment that maps it, and one table may extend over two segments. Only
memory mapped from the file counts; the zero-filled part of a segment holds no tables.

Our own loader maps them in loader/elf_mapping.c.

Segments are taken in order of their addresses, as the gABI demands that they are listed.
"""

from __future__ import annotations

import sys
from _operator import itemgetter  # not operator, whose Python module takes 0.6 ms to import

from denizen.elf.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal, TypeAlias

    from denizen.bytesio import Buffer
    from denizen.elf.header import Header, Segment

    Code: TypeAlias = Literal["H", "I", "Q"]

# The smallest page size of any architecture. Where pages are larger, linkers align segments to the larger
# size, so no table lies in the difference.
PAGE = 4096
_ADDRESS = itemgetter(3)


class Memory:
    """Reads by address from the parts of memory that are mapped from the file, by PT_LOAD `segments`."""

    def __init__(self, buffer: Buffer, header: Header, segments: Iterable[Segment]) -> None:
        self.buffer = buffer
        self.little = header.little
        self.order = header.order
        self.bits = header.bits
        self.machine = header.machine
        self._view = memoryview(buffer)
        self._extents = _extents(segments, len(buffer))

    def locate(self, address: int, structure: str) -> tuple[int, int]:
        """Return (file offset of `address`, number of bytes that follow both in the file and in memory).

        `structure` names the structure in errors.

        Raises:
            Malformed: the address is not mapped from the file.
        """
        for start, end, offset in self._extents:
            if start <= address < end:
                return offset + address - start, end - address
        raise Malformed(structure, "its address is not mapped from the file", address)

    def read(self, address: int, length: int, structure: str) -> bytes:
        """Return `length` bytes at `address`. Raises Malformed unless all are mapped."""
        return bytes(self.view(address, length, structure))

    def read_to_end(self, address: int, limit: int, structure: str) -> bytes:
        """Return at most `limit` bytes at `address`, fewer where the mapping ends before.

        Raises Malformed.
        """
        return bytes(self.view_to_end(address, limit, structure))

    def view(self, address: int, length: int, structure: str) -> memoryview:
        """Return a view of `length` bytes at `address`. Raises Malformed unless all are mapped."""
        data = self.view_to_end(address, length, structure)
        if len(data) < length:
            raise Malformed(structure, f"{length} bytes wanted, {len(data)} mapped", address)
        return data

    def view_to_end(self, address: int, limit: int, structure: str) -> memoryview:
        """Return a view of at most `limit` bytes at `address`.

        Copied only where it extends over several mappings. Raises Malformed.
        """
        offset, available = self.locate(address, structure)
        data = self._view[offset : offset + min(limit, available)]
        if limit <= available:
            return data
        parts, reached = [data], address + available
        for start, end, offset in self._extents:
            if start == reached and reached - address < limit:
                reached = min(end, address + limit)
                parts.append(self._view[offset : offset + reached - start])
        return data if len(parts) == 1 else memoryview(b"".join(parts))

    def numbers(self, code: Code, data: bytes | memoryview) -> memoryview:
        """Return `data` as unsigned numbers in the file's byte order; `code` is H, I or Q."""
        return numbers(code, data, little=self.little)


def _extents(segments: Iterable[Segment], size: int) -> list[tuple[int, int, int]]:
    """Return (start, end, file offset) of the memory mapped from the file, by address and without overlap."""
    extents: list[tuple[int, int, int]] = []
    for _, _, place, address, _, file_size, memory_size, _ in sorted(segments, key=_ADDRESS):
        start, end, offset = address, address + file_size, place
        into = address % PAGE
        # A segment whose offset and address differ modulo the page size cannot be mapped as pages.
        if into == place % PAGE:
            start, offset = address - into, place - into
            # The rest of the last page is mapped from the file too, unless zero-filled memory starts there.
            if memory_size <= file_size:
                end = (end + PAGE - 1) & -PAGE
        # Cut at the end of the file.
        if end - start > size - offset:
            end = start + size - offset
        if end <= start:
            continue
        if extents and extents[-1][1] > start:
            before, _, at = extents.pop()
            extents += [(before, start, at)] if before < start else []
        if extents and extents[-1][1] == start and extents[-1][2] + start - extents[-1][0] == offset:
            start, _, offset = extents.pop()
        extents.append((start, end, offset))
    return extents


def numbers(code: Code, data: bytes | memoryview, *, little: bool) -> memoryview:
    """Return bytes as a column of unsigned numbers.

    Copied only where their byte order is not this machine's.
    """
    if little == (sys.byteorder == "little"):
        return memoryview(data).cast(code)
    swapped = bytearray(data)
    width = memoryview(b"").cast(code).itemsize
    for place in range(width):
        swapped[place::width] = data[width - 1 - place :: width]
    return memoryview(swapped).cast(code)
