"""Places for an entry stub in a program's file: slack behind a segment, code at the entry point (pure)."""

from __future__ import annotations

from denizen.elf.constants import PF_X, PT_LOAD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.elf.header import Segment
    from denizen.elf.image import Image

# Stubs are made for x86-64, whose pages have no other size.
_PAGE = 4096


def in_slack(program: Image, size: int) -> tuple[int, int] | None:
    """Return (offset, address) of zero bytes that the kernel maps executable and no part of the file uses."""
    for segment in program.segments:
        if segment.type != PT_LOAD or not segment.flags & PF_X or segment.file_size != segment.memory_size:
            continue
        offset = (segment.offset + segment.file_size + 15) // 16 * 16
        page_end = -(-(segment.offset + segment.file_size) // _PAGE) * _PAGE
        room = bytes(program.buffer[offset : offset + size])
        free = offset + size <= page_end and room == bytes(size) and not _owned(program, offset, size)
        if free:
            return offset, segment.address - segment.offset + offset
    return None


def _owned(program: Image, offset: int, size: int) -> bool:
    """Tell whether another part of the file uses the bytes, or none follows: then they may be a payload's."""
    header = program.header
    spans = [(segment.offset, segment.file_size) for segment in program.segments]
    spans.append((header.shoff, header.shnum * header.shentsize))
    taken = any(start < offset + size and offset < start + length for start, length in spans)
    return taken or not any(start >= offset + size for start, _ in spans)


def over_entry(program: Image, size: int) -> tuple[int, int] | None:
    """Return (offset, address) of the entry point, if enough of its segment follows; else None."""
    entry = program.header.entry
    holder = next((segment for segment in program.segments if _holds(segment, entry, size)), None)
    return None if holder is None else (entry - holder.address + holder.offset, entry)


def _holds(segment: Segment, address: int, size: int) -> bool:
    inside = segment.address <= address and address + size <= segment.address + segment.file_size
    return segment.type == PT_LOAD and bool(segment.flags & PF_X) and inside
