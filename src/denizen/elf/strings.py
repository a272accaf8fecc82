"""String tables: names by offset (pure).

Specification: gABI "String Table". A name extends from its offset to the next NUL; linkers let one name
be the tail of another. So the bytes read may exceed the table's size, but in a hostile file each of 40,000
symbols could have a name of a megabyte: all reads from one table share a budget.
"""

from __future__ import annotations

from denizen.elf.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import mmap
    from collections.abc import Sequence
    from typing import TypeAlias

    # A Buffer that can be searched, which a memoryview cannot.
    Searchable: TypeAlias = bytes | bytearray | mmap.mmap

# Bytes of names read at most: FACTOR times the table's size plus FLOOR. No file of 5,000 reached 1.6 times.
BUDGET_FACTOR = 6
BUDGET_FLOOR = 64 * 1024
# Names read between two checks of the budget: a batch of names as long as the table must stay within the
# 64 bytes of memory per byte of input that this package guarantees.
BATCH = 32


class StringTable:
    """A string table at `address`: the bytes `start` to `end` of `data`."""

    def __init__(self, data: Searchable, address: int = 0, *, start: int = 0, end: int | None = None) -> None:
        self._size = (len(data) if end is None else end) - start
        self._address = address
        self._budget = BUDGET_FACTOR * self._size + BUDGET_FLOOR
        stop = start + self._size
        if isinstance(data, bytearray) or (self._size and data[stop - 1]):
            # A last name without NUL ends at the end of the table.
            data, start, stop = bytes(data[start:stop]) + b"\0", 0, self._size + 1
        self._data, self._start, self._end = data, start, stop

    def __len__(self) -> int:
        return self._size

    def at(self, offset: int) -> bytes:
        """Return the name at `offset`. Raises Malformed: outside the table, or the budget is spent."""
        if offset >= self._size:
            raise self._outside(offset)
        start = self._start + offset
        name = self._data[start : self._data.find(b"\0", start, self._end)]
        self._budget -= len(name)
        if self._budget < 0:
            raise self._spent()
        return name

    def column(self, offsets: Sequence[int]) -> list[bytes]:
        """Return the names at many offsets. Raises Malformed as `at` does."""
        if offsets and max(offsets) >= self._size:
            raise self._outside(max(offsets))
        data, find, first, end = self._data, self._data.find, self._start, self._end
        names: list[bytes] = []
        for place in range(0, len(offsets), BATCH):
            starts = [first + offset for offset in offsets[place : place + BATCH]]
            batch = [data[start : find(b"\0", start, end)] for start in starts]
            names += batch
            self._budget -= sum(map(len, batch))
            if self._budget < 0:
                raise self._spent()
        return names

    @property
    def place(self) -> tuple[bytes | mmap.mmap, int, int]:
        """(bytes that hold the table, its start and end in them), to compare names without copying them."""
        return self._data, self._start, self._end

    def _spent(self) -> Malformed:
        return Malformed("string table", "its names overlap beyond measure", self._address)

    def _outside(self, offset: int) -> Malformed:
        return Malformed("string table", f"a name at {offset} of {self._size} bytes", self._address)
