"""ELF skeletons: the parts of a file that a dynamic linker reads, at their own offsets, without code (pure).

The linker model needs headers, the dynamic section, symbols, versions, hashes, relocations and notes.
Instructions, constants and debugging information are three quarters of a library. They are replaced by zeros,
so that a skeleton is written as a sparse file and read by the same reader as the file it came from.

A segment is kept if the dynamic section points into it. Where code and tables share a segment (`ld -z
noseparate-code`), both are kept.
"""

from __future__ import annotations

from denizen import elf
from denizen.elf import constants as c
from denizen.errors import BadInput

HEAD_SIZE = 64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.bytesio import Buffer
    from denizen.elf import Image, Segment

# Dynamic tags whose addresses the reader follows (elf/image.py, elf/symbols.py, elf/relocations.py).
_TABLES = (
    c.DT_HASH, c.DT_STRTAB, c.DT_SYMTAB, c.DT_RELA, c.DT_REL, c.DT_JMPREL, c.DT_GNU_HASH, c.DT_VERSYM,
    c.DT_VERDEF, c.DT_VERNEED,
)  # fmt: skip
_PT_NOTE = 4
_WHOLE = (c.PT_DYNAMIC, c.PT_INTERP, _PT_NOTE)


def kept_ranges(content: Buffer) -> tuple[tuple[int, int], ...]:
    """Return the (start, end) byte offsets of the parts to keep, in order and without overlap.

    Return () for a file without a dynamic section, or that cannot be read as ELF: a dynamic linker cannot use
    it.
    """
    try:
        image = elf.read(content)
        dynamic = image.dynamic
    except BadInput:
        return ()
    if dynamic is None:
        return ()
    wanted = [(0, HEAD_SIZE), _header_table(image)]
    wanted += [_extent(s) for s in image.segments if s.type in _WHOLE]
    addresses = [dynamic.values[tag] for tag in _TABLES if tag in dynamic.values]
    wanted += [
        _extent(s)
        for s in image.segments
        if s.type == c.PT_LOAD and any(s.address <= a < s.address + s.file_size for a in addresses)
    ]
    return _merged(wanted, len(content))


def _header_table(image: Image) -> tuple[int, int]:
    header = image.header
    return header.phoff, header.phoff + header.phentsize * len(image.segments)


def _extent(segment: Segment) -> tuple[int, int]:
    return segment.offset, segment.offset + segment.file_size


def _merged(ranges: list[tuple[int, int]], size: int) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted((max(0, start), min(end, size)) for start, end in ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        elif start < end:
            merged.append((start, end))
    return tuple(merged)
