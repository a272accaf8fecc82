"""The file as the loader would map it: addresses to bytes through PT_LOAD (pure).

Everything behind PT_DYNAMIC is given by address. The kernel and glibc (elf/dl-map-segments.h) map the
PT_LOAD segments in file order with MAP_FIXED, so that of two that overlap the later one wins. Only
bytes that come from the file count: p_filesz, cut at the end of the file; what lies in zero-filled
memory holds no tables.
"""

from __future__ import annotations

import sys
from array import array

from denizen.elf.constants import PT_LOAD
from denizen.elf.faults import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from denizen.bytesio import Buffer
    from denizen.elf.header import Header, Segment


class Memory:
    """Reads by address from the mapped part of a file."""

    def __init__(self, buffer: Buffer, header: Header, segments: Iterable[Segment]) -> None:
        self._buffer = buffer
        self.little = header.little
        self.order = header.order
        self.bits = header.bits
        self.machine = header.machine
        size = len(buffer)
        # Last first: the one that wins an overlap is found first.
        self._loads = tuple(
            (s.address, s.address + min(s.file_size, size - s.offset), s.offset)
            for s in reversed(tuple(segments))
            if s.type == PT_LOAD and s.offset < size
        )

    def locate(self, address: int, structure: str) -> tuple[int, int]:
        """(file offset of `address`, bytes the file maps from there on).

        Raises:
            Malformed: no segment maps the address from the file.
        """
        for start, end, offset in self._loads:
            if start <= address < end:
                return offset + address - start, end - address
        raise Malformed(structure, "no segment maps its address from the file", address)

    def read(self, address: int, length: int, structure: str) -> bytes:
        """`length` bytes at `address`. Raises Malformed unless all are mapped."""
        offset, available = self.locate(address, structure)
        if length > available:
            raise Malformed(structure, f"{length} bytes wanted, {available} mapped", address)
        return bytes(self._buffer[offset : offset + length])

    def read_to_end(self, address: int, limit: int, structure: str) -> bytes:
        """At most `limit` bytes at `address`, fewer where the mapping ends before."""
        offset, available = self.locate(address, structure)
        return bytes(self._buffer[offset : offset + min(limit, available)])

    def numbers(self, code: str, data: bytes) -> array[int]:
        """`data` as unsigned numbers of the file's byte order; `code` is H, I or Q."""
        return numbers(code, data, little=self.little)


def numbers(code: str, data: bytes, *, little: bool) -> array[int]:
    """Bytes as an array of unsigned numbers, at the speed of memcpy (and a swap where foreign)."""
    column = array(code, data)
    if little != (sys.byteorder == "little"):
        column.byteswap()
    return column
