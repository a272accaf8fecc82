"""ELF files as tools rewrite them: program headers at the end, an interpreter there too, one named twice."""

import struct

from denizen.elf import constants as c
from denizen.elf.header import Segment, parse_header, parse_segments

_PAGE = 0x1000
_ENTRY = struct.Struct("<IIQQQQQQ")
PT_PHDR = 6


def at_the_end(program: bytes, padding: int = 0) -> bytes:
    """Return a 64-bit program with headers and interpreter in a segment behind it, and `padding` bytes."""
    header = parse_header(program)
    segments = list(parse_segments(program, header))
    start = -(-(len(program) + padding) // _PAGE) * _PAGE
    last = max(s.address + s.memory_size for s in segments if s.type == c.PT_LOAD)
    address = -(-last // _PAGE) * _PAGE
    table = (len(segments) + 1) * _ENTRY.size
    interp = next(s for s in segments if s.type == c.PT_INTERP)
    name = program[interp.offset : interp.offset + interp.file_size]
    moved = {PT_PHDR: (0, table), c.PT_INTERP: (table, len(name))}
    rows = [_moved(s, start, address, *moved[s.type]) if s.type in moved else s for s in segments]
    size = table + len(name)
    rows.append(Segment(c.PT_LOAD, c.PF_R, start, address, address, size, size, _PAGE))
    content = bytearray(program.ljust(start, b"\0"))
    content += b"".join(_ENTRY.pack(*row) for row in rows) + name
    struct.pack_into("<Q", content, 32, start)  # e_phoff
    struct.pack_into("<H", content, 56, len(rows))  # e_phnum
    return bytes(content)


def _moved(segment: Segment, start: int, address: int, at: int, size: int) -> Segment:
    place = address + at
    return Segment(segment.type, segment.flags, start + at, place, place, size, size, segment.alignment)


def with_second_interpreter(program: bytes) -> bytes:
    """Return a 64-bit program that names an interpreter a second time, in place of a note."""
    header = parse_header(program)
    segments = parse_segments(program, header)
    first = next(s for s in segments if s.type == c.PT_INTERP)
    second = next(index for index, s in enumerate(segments) if s.type == c.PT_NOTE)
    # One byte less of the same: another path, which must not count.
    row = _ENTRY.pack(
        *first[:2], first.offset + 1, first.address + 1, *first[4:5], *[first.file_size - 1] * 2, 1
    )
    at = header.phoff + second * _ENTRY.size
    return program[:at] + row + program[at + len(row) :]
