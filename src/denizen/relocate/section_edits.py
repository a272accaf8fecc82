"""Edits of section headers, so that tools which read them (strip, ld, objdump) see what loaders see (pure).

Loaders need none of them; a file without them gets none.
"""

from __future__ import annotations

from _operator import itemgetter  # not operator, whose Python module takes 0.6 ms to import

from denizen.elf import constants as c
from denizen.relocate.file_edits import FileEdit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from denizen.elf import Image
    from denizen.relocate.elf_encoding import Encoding
    from denizen.relocate.patch_room import FilePlace

_TYPE, _ADDRESS, _OFFSET, _SIZE, _INFO = 1, 3, 4, 5, 7
_PROGBITS, _STRTAB, _DYNAMIC, _VERNEED = 1, 3, 6, 0x6FFFFFFE
_TYPES = {"interpreter": _PROGBITS, "strings": _STRTAB, "dynamic": _DYNAMIC}


def move_sections(
    image: Image, moved: dict[str, tuple[int, FilePlace, int]], encoding: Encoding
) -> list[FileEdit]:
    """Return the edits for parts that moved; `moved` has for each its old address, new place, and size."""
    edits = []
    rows = image.sections
    addresses = list(map(itemgetter(_ADDRESS), rows))
    for part, (address, place, size) in moved.items():
        index = -1
        # Two parts may be at one address in a hostile file, and all sections without one are at 0.
        for _ in range(addresses.count(address)):
            index = addresses.index(address, index + 1)
            row = rows[index]
            if row[_TYPE] == _TYPES[part]:
                fields = [*row[:_ADDRESS], place.address, place.offset, size, *row[_SIZE + 1 :]]
                edits.append(_edit(image, index, fields, encoding))
    return edits


def shorten_needs(image: Image, first: int, count: int, encoding: Encoding) -> list[FileEdit]:
    """Return the edits for version needs that start `first` bytes later and have `count` records."""
    dynamic = image.dynamic
    assert dynamic is not None
    address = dynamic.values.get(c.DT_VERNEED)

    def fields(row: tuple[int, ...]) -> list[int]:
        place = [row[_ADDRESS] + first, row[_OFFSET] + first, max(0, row[_SIZE] - first)]
        return [*row[:_ADDRESS], *place, row[_SIZE + 1], count, *row[_INFO + 1 :]]

    return _changed(image, lambda row: row[_TYPE] == _VERNEED and row[_ADDRESS] == address, fields, encoding)


def _changed(
    image: Image,
    chosen: Callable[[tuple[int, ...]], bool],
    fields: Callable[[tuple[int, ...]], list[int]],
    encoding: Encoding,
) -> list[FileEdit]:
    return [_edit(image, at, fields(row), encoding) for at, row in enumerate(image.sections) if chosen(row)]


def _edit(image: Image, index: int, fields: list[int], encoding: Encoding) -> FileEdit:
    offset = image.header.shoff + index * image.header.shentsize
    return FileEdit(offset, encoding.section(fields), "section header")
