"""String tables: names by offset (pure).

Specification: gABI "String Table". A name runs from its offset to the next NUL; linkers let one name
be the tail of another. A table may therefore be read more than once over, but a hostile one could make
each of 40,000 symbols the name of a megabyte: all reads from one table share a budget.
"""

from __future__ import annotations

from denizen.elf.faults import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# Names may add up to this many times the table and a bit; of 5,000 files none came to 1.6.
BUDGET_FACTOR = 6
BUDGET_FLOOR = 64 * 1024
# Names read between two looks at the budget: few enough that a batch of table-long names is still
# within the 64 bytes of memory per byte of input that this package promises.
BATCH = 32


class StringTable:
    """A string table found at `address`, its bytes being `data`."""

    def __init__(self, data: bytes, address: int = 0) -> None:
        # A last name without NUL would make every search for its end fail; it ends with the table.
        self._data = data + b"\0" if data and not data.endswith(b"\0") else data
        self._address = address
        self._budget = BUDGET_FACTOR * len(data) + BUDGET_FLOOR

    def __len__(self) -> int:
        return len(self._data)

    def at(self, offset: int) -> bytes:
        """The name at `offset`. Raises Malformed: outside the table, or the budget is spent."""
        if offset >= len(self._data):
            raise self._outside(offset)
        name = self._data[offset : self._data.find(b"\0", offset)]
        self._charge(len(name))
        return name

    def column(self, offsets: Sequence[int]) -> list[bytes]:
        """The names at many offsets. Raises Malformed as `at` does."""
        data, find = self._data, self._data.find
        if offsets and max(offsets) >= len(data):
            raise self._outside(max(offsets))
        names: list[bytes] = []
        for start in range(0, len(offsets), BATCH):
            batch = [data[o : find(b"\0", o)] for o in offsets[start : start + BATCH]]
            names += batch
            self._charge(sum(map(len, batch)))
        return names

    def _charge(self, length: int) -> None:
        self._budget -= length
        if self._budget < 0:
            raise Malformed("string table", "its names overlap beyond measure", self._address)

    def _outside(self, offset: int) -> Malformed:
        return Malformed("string table", f"a name at {offset} of {len(self._data)} bytes", self._address)

    def holds(self, offset: int, name: bytes) -> bool:
        """Whether the name at `offset` is `name`, without making it."""
        return self._data.startswith(name + b"\0", offset) and offset < len(self._data)
