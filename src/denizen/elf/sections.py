"""Section headers, for the few questions that have no answer without them (pure).

Loaders never read them; they may be stripped or lie. So these functions return what a sound table says
and nothing for an unsound one, and no fact about loading comes from here.

Specification: gABI "Sections". Limits: e_shnum as it stands (more than 65,279 sections are not looked at).
"""

from __future__ import annotations

from struct import Struct, iter_unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.bytesio import Buffer
    from denizen.elf.header import Header

SHT_NOBITS = 8
# name type flags addr offset size link info addralign entsize
_SECTION = {32: "IIIIIIIIII", 64: "IIQQQQIIQQ"}
_NAME, _TYPE, _OFFSET, _SIZE = 0, 1, 4, 5
MAX_NAMES = 1024 * 1024


def section_headers(buffer: Buffer, header: Header) -> list[tuple[int, ...]]:
    """The section headers as in the file; none where the table is not sound."""
    layout = header.order + _SECTION[header.bits]
    size = Struct(layout).size
    end = header.shoff + header.shnum * size
    if not header.shnum or header.shentsize != size or end > len(buffer):
        return []
    return list(iter_unpack(layout, bytes(buffer[header.shoff : end])))


def end_of_sections(buffer: Buffer, header: Header) -> int:
    """The offset behind the table and all that its sections cover within the file; 0 if unsound."""
    rows = section_headers(buffer, header)
    ends = [row[_OFFSET] + row[_SIZE] for row in rows if row[_TYPE] not in (0, SHT_NOBITS)]
    within = [end for end in ends if end <= len(buffer)]
    return max([header.shoff + len(rows) * header.shentsize, *within]) if rows else 0


def section_names(buffer: Buffer, header: Header) -> bytes:
    """The string table of section names, whole; empty where there is none."""
    rows = section_headers(buffer, header)
    if header.shstrndx >= len(rows):
        return b""
    row = rows[header.shstrndx]
    return bytes(buffer[row[_OFFSET] : row[_OFFSET] + min(row[_SIZE], MAX_NAMES)])
