"""ELF structures as bytes, for both classes and byte orders: what `denizen.elf` reads, written (pure)."""

from __future__ import annotations

import struct
from itertools import chain

from denizen.elf.header import SEGMENT_SIZE
from denizen.elf.sections import SECTION_FIELDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from denizen.elf.header import Header, Segment

# Offsets of the header's fields that say where the program headers are, by class (gABI "ELF Header").
E_PHOFF, E_PHNUM = {32: 28, 64: 32}, {32: 44, 64: 56}
_SEGMENT = {32: "8I", 64: "2I6Q"}
_LAYOUTS: dict[tuple[str, str, int], struct.Struct] = {}
_MANY_LAYOUTS = 100


class Encoding:
    """The layouts of one class and byte order."""

    def __init__(self, header: Header) -> None:
        self.bits, self.order = header.bits, header.order
        self._word = "Q" if header.bits == 64 else "I"
        self.word_size = header.bits // 8
        self.segment_size = SEGMENT_SIZE[header.bits]
        self.entry_size = 2 * self.word_size

    def word(self, number: int) -> bytes:
        """Return an address or offset."""
        return struct.pack(self.order + self._word, number)

    def half(self, number: int) -> bytes:
        """Return a number of two bytes."""
        return struct.pack(self.order + "H", number)

    def quarter_words(self, *numbers: int) -> bytes:
        """Return numbers of four bytes."""
        return struct.pack(f"{self.order}{len(numbers)}I", *numbers)

    def segments(self, rows: Iterable[Segment]) -> bytes:
        """Return a program header table."""
        fields: list[Sequence[int]] = list(rows)
        if self.bits == 32:
            # Elf32_Phdr keeps p_flags next to last.
            fields = [(row[0], *row[2:7], row[1], row[7]) for row in fields]
        return self._rows(_SEGMENT[self.bits], len(fields)).pack(*chain.from_iterable(fields))

    def dynamic(self, entries: Sequence[tuple[int, int]]) -> bytes:
        """Return dynamic entries, the last DT_NULL included."""
        layout = self._rows(2 * self._word, len(entries) + 1)
        return layout.pack(*chain.from_iterable(entries), 0, 0)

    def _rows(self, fields: str, count: int) -> struct.Struct:
        """Return the layout of so many rows: files have few different numbers of them."""
        layout = _LAYOUTS.get((self.order, fields, count))
        if layout is None:
            if len(_LAYOUTS) >= _MANY_LAYOUTS:
                _LAYOUTS.clear()
            layout = _LAYOUTS[self.order, fields, count] = struct.Struct(self.order + fields * count)
        return layout

    def section(self, fields: Sequence[int]) -> bytes:
        """Return one section header."""
        return struct.pack(self.order + SECTION_FIELDS[self.bits], *fields)
