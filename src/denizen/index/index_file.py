r"""The index file format: sections of sorted lines, read through a memory map.

Layout, little endian (docs/formats/index-file.md has it in full):

    magic     8 bytes  b"DNZIDX1\n"
    count     u32      sections that follow
    section   16 bytes name, padded with NUL;  u64 offset;  u64 length
    ...                the sections' bytes

A table of lines is two sections: `x`, the lines with their newlines, and `x.at`, the u32 offset of
each. Looking one up is a bisection over the map: no parsing, no loading, 10 us. The file is denizen's own
and replaced as a whole, never changed in place; a damaged one is noticed by its bounds and made anew.
"""

from __future__ import annotations

import os
import struct

from denizen.errors import StoreDamaged
from denizen.file_content import whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    import mmap
    from array import array
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

MAGIC = b"DNZIDX1\n"
_COUNT = struct.Struct("<I")
_SECTION = struct.Struct("<16sQQ")
_U32 = struct.Struct("<I")
MAX_SECTIONS = 32
# Offsets in a table of lines are 32 bits.
MAX_LINES_SIZE = 1 << 32
# Lines that are joined and written at once; each by itself takes five times as long.
_TOGETHER = 10_000


class DamagedIndex(StoreDamaged):
    """The error that an index file does not have its written content."""

    path: bytes
    problem: str
    WHAT = "the index file {path} is damaged"
    WHY = "{problem:text}"
    REMEDY = "denizen index update --force"


class IndexFile:
    """An index file opened for reading."""

    def __init__(self, path: bytes) -> None:
        self.path = path
        self.map = _content(path)
        self._sections = self._read_sections()

    def close(self) -> None:
        """Unmap the file."""
        if not isinstance(self.map, bytes):
            self.map.close()

    def bounds(self, name: str) -> tuple[int, int]:
        """Return the byte offsets at which a section begins and ends. Raises DamagedIndex."""
        found = self._sections.get(name)
        if found is None:
            raise DamagedIndex(self.path, f"it has no section {name}")
        return found

    def has(self, name: str) -> bool:
        """Tell whether there is a section of that name."""
        return name in self._sections

    def lines(self, name: str) -> Lines:
        """Return a table of lines. Raises DamagedIndex."""
        return Lines(self, name)

    def numbers(self, name: str) -> Numbers:
        """Return a section of u32. Raises DamagedIndex."""
        return Numbers(self, name)

    def _read_sections(self) -> dict[str, tuple[int, int]]:
        size = len(self.map)
        if size < len(MAGIC) + _COUNT.size or self.map[: len(MAGIC)] != MAGIC:
            raise DamagedIndex(self.path, "it does not begin as one")
        (count,) = _COUNT.unpack_from(self.map, len(MAGIC))
        start = len(MAGIC) + _COUNT.size
        if count > MAX_SECTIONS or start + count * _SECTION.size > size:
            raise DamagedIndex(self.path, "its table of sections is cut short")
        sections = {}
        for number in range(count):
            name, offset, length = _SECTION.unpack_from(self.map, start + number * _SECTION.size)
            if offset + length > size:
                raise DamagedIndex(self.path, "a section ends after the file does")
            sections[name.rstrip(b"\0").decode("ascii", "replace")] = (offset, offset + length)
        return sections


class Lines:
    """A table of lines, accessed by number and, if sorted, by the first column."""

    def __init__(self, file: IndexFile, name: str) -> None:
        self._file = file
        self._map = file.map
        self._start, self._end = file.bounds(name)
        self._offsets, end = file.bounds(f"{name}.at")
        self._count = (end - self._offsets) // _U32.size

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> bytes:
        """Return the line of that number, without its newline. Raises DamagedIndex."""
        if not 0 <= number < self._count:
            raise DamagedIndex(self._file.path, f"there is no line {number}")
        (offset,) = _U32.unpack_from(self._map, self._offsets + number * 4)
        start = self._start + offset
        end = self._map.find(b"\n", start, self._end)
        if end < 0:
            raise DamagedIndex(self._file.path, f"line {number} has no end")
        return self._map[start:end]

    def __iter__(self) -> Iterator[bytes]:
        """Iterate over all lines in order."""
        return iter(self._map[self._start : self._end].split(b"\n")[:-1])

    def first_at_or_after(self, key: bytes) -> int:
        """Return the number of the first line that does not sort before `key`; the lines must be sorted."""
        low, high = 0, self._count
        while low < high:
            middle = (low + high) // 2
            if self[middle] < key:
                low = middle + 1
            else:
                high = middle
        return low

    def having(self, column: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield (number, line) of each line whose first column is `column`."""
        key = column + b"\t"
        number = self.first_at_or_after(key)
        while number < self._count and (line := self[number]).startswith(key):
            yield number, line
            number += 1


class Numbers:
    """A section of u32 in an index file."""

    def __init__(self, file: IndexFile, name: str) -> None:
        self._file = file
        self._map = file.map
        self._start, end = file.bounds(name)
        self._count = (end - self._start) // _U32.size

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> int:
        if not 0 <= number < self._count:
            raise DamagedIndex(self._file.path, f"there is no number {number}")
        (found,) = _U32.unpack_from(self._map, self._start + number * _U32.size)
        return int(found)


def _content(path: bytes) -> bytes | mmap.mmap:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(descriptor).st_size
        if size == 0:
            raise DamagedIndex(path, "it is empty")
        return whole(descriptor, size)
    finally:
        os.close(descriptor)


class Writer:
    """A writer of index files, section by section; `finish` writes the table of sections."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._sections: list[tuple[str, int, int]] = []
        stream.write(bytes(len(MAGIC) + _COUNT.size + MAX_SECTIONS * _SECTION.size))

    def section(self, name: str, pieces: Iterable[bytes]) -> None:
        """Add a section."""
        start = self._stream.tell()
        self._stream.writelines(pieces)
        self._sections.append((name, start, self._stream.tell() - start))

    def lines(self, name: str, lines: Iterable[bytes]) -> None:
        """Add a table of lines, in the order given."""
        from array import array as new_array

        offsets = new_array("I")
        self.section(name, _counted(lines, offsets))
        self.numbers(f"{name}.at", offsets)

    def numbers(self, name: str, numbers: array[int]) -> None:
        """Add a section of u32."""
        import sys

        if sys.byteorder == "big":
            numbers.byteswap()
        self.section(name, [numbers.tobytes()])

    def finish(self) -> None:
        """Write the table of sections."""
        self._stream.seek(0)
        self._stream.write(MAGIC + _COUNT.pack(len(self._sections)))
        for name, offset, length in self._sections:
            self._stream.write(_SECTION.pack(name.encode("ascii"), offset, length))


def _counted(lines: Iterable[bytes], offsets: array[int]) -> Iterator[bytes]:
    from itertools import accumulate, islice

    position = 0
    left = iter(lines)
    while some := list(islice(left, _TOGETHER)):
        sizes = [len(line) + 1 for line in some]
        offsets.extend(accumulate(sizes[:-1], initial=position))
        position += sum(sizes)
        yield b"\n".join(some) + b"\n"
    if position > MAX_LINES_SIZE:
        raise OverflowError(position)
