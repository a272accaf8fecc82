"""String tables: names by offset (pure).

Specification: gABI "String Table". A name runs from its offset to the next NUL; linkers let one name
be the tail of another. A table may therefore be read more than once over, but a hostile one could make
each of 40,000 symbols the name of a megabyte: all reads from one table share a budget.
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

# Names may add up to this many times the table and a bit; of 5,000 files none came to 1.6.
BUDGET_FACTOR = 6
BUDGET_FLOOR = 64 * 1024
# Names read between two looks at the budget: few enough that a batch of table-long names is still
# within the 64 bytes of memory per byte of input that this package promises.
BATCH = 32


class StringTable:
    """A string table found at `address`: what `data` holds from `start` to `end`."""

    def __init__(self, data: Searchable, address: int = 0, *, start: int = 0, end: int | None = None) -> None:
        self._size = (len(data) if end is None else end) - start
        self._address = address
        self._budget = BUDGET_FACTOR * self._size + BUDGET_FLOOR
        stop = start + self._size
        if isinstance(data, bytearray) or (self._size and data[stop - 1]):
            # A last name without NUL ends with the table.
            data, start, stop = bytes(data[start:stop]) + b"\0", 0, self._size + 1
        self._data, self._start, self._end = data, start, stop

    def __len__(self) -> int:
        return self._size

    def at(self, offset: int) -> bytes:
        """The name at `offset`. Raises Malformed: outside the table, or the budget is spent."""
        if offset >= self._size:
            raise self._outside(offset)
        start = self._start + offset
        name = self._data[start : self._data.find(b"\0", start, self._end)]
        self._budget -= len(name)
        if self._budget < 0:
            raise self._spent()
        return name

    def column(self, offsets: Sequence[int]) -> list[bytes]:
        """The names at many offsets. Raises Malformed as `at` does."""
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
        """(bytes that hold the table, its start and end in them), for comparing names where they lie."""
        return self._data, self._start, self._end

    def _spent(self) -> Malformed:
        return Malformed("string table", "its names overlap beyond measure", self._address)

    def _outside(self, offset: int) -> Malformed:
        return Malformed("string table", f"a name at {offset} of {self._size} bytes", self._address)
