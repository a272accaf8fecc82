"""Section headers, for the few facts that program headers do not give (pure).

Loaders never read section headers, so they may be stripped or wrong. These functions return nothing for an
invalid table, and no fact about loading comes from here.

Specification: gABI "Sections". Limits: e_shnum sections (files with more than 65,279 are not supported).
"""

from __future__ import annotations

from struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.bytesio import Buffer
    from denizen.elf.header import Header

SHT_NOBITS = 8
# name type flags addr offset size link info addralign entsize
SECTION_FIELDS = {32: "IIIIIIIIII", 64: "IIQQQQIIQQ"}
_LAYOUTS = {
    (order == "<", bits): Struct(order + fields) for order in "<>" for bits, fields in SECTION_FIELDS.items()
}
_NAME, _TYPE, _OFFSET, _SIZE = 0, 1, 4, 5
MAX_NAMES = 1024 * 1024


def section_headers(buffer: Buffer, header: Header) -> list[tuple[int, ...]]:
    """Return the fields of each section header in file order; [] where the table is not valid."""
    layout = _LAYOUTS[header.little, header.bits]
    size = layout.size
    end = header.shoff + header.shnum * size
    if not header.shnum or header.shentsize != size or end > len(buffer):
        return []
    return list(layout.iter_unpack(bytes(buffer[header.shoff : end])))


def end_of_sections(buffer: Buffer, header: Header, rows: list[tuple[int, ...]] | None = None) -> int:
    """Return the offset behind the table and all bytes its sections cover within the file; 0 if not valid.

    `rows`: the fields of the section headers, if they are known.
    """
    if rows is None:
        rows = section_headers(buffer, header)
    if not rows:
        return 0
    size, table = len(buffer), header.shoff + len(rows) * header.shentsize
    ends = [row[_OFFSET] + row[_SIZE] for row in rows if row[_TYPE] not in (0, SHT_NOBITS)]
    last = max(ends, default=0)
    return max(table, last if last <= size else max([end for end in ends if end <= size], default=0))


def section_names(buffer: Buffer, header: Header) -> bytes:
    """Return the whole string table of section names; b"" where there is none."""
    rows = section_headers(buffer, header)
    if header.shstrndx >= len(rows):
        return b""
    row = rows[header.shstrndx]
    return bytes(buffer[row[_OFFSET] : row[_OFFSET] + min(row[_SIZE], MAX_NAMES)])
