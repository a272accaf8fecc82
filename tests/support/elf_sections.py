"""Section headers for ELF files that have none: of the parts that a patch moves, as a linker writes them."""

import struct

from denizen.elf import Image, read
from denizen.elf import constants as c

# Type and flags: PROGBITS, STRTAB, DYNAMIC, GNU_verneed, all allocated.
_PARTS = {"interpreter": 1, "strings": 3, "dynamic": 6, "version needs": 0x6FFFFFFE}
_FIELDS = {32: "10I", 64: "2I4Q2I2Q"}
_E_SHOFF, _E_SHENTSIZE = {32: 32, 64: 40}, {32: 46, 64: 58}


def with_sections(data: bytes) -> bytes:
    """Return the file with a section header table at its end."""
    image = read(data)
    header = image.header
    layout = header.order + _FIELDS[header.bits]
    rows = [(0,) * 10]
    for name, (address, size) in _parts(image).items():
        offset = image.memory.locate(address, name)[0]
        rows.append((0, _PARTS[name], 2, address, offset, size, 0, 1, 1, 0))
    start = -(-len(data) // 8) * 8
    content = bytearray(data.ljust(start, b"\0") + b"".join(struct.pack(layout, *row) for row in rows))
    struct.pack_into(
        header.order + ("Q" if header.bits == 64 else "I"), content, _E_SHOFF[header.bits], start
    )
    struct.pack_into(
        header.order + "3H", content, _E_SHENTSIZE[header.bits], struct.calcsize(layout), len(rows), 0
    )
    return bytes(content)


def _parts(image: Image) -> dict[str, tuple[int, int]]:
    dynamic = image.dynamic
    assert dynamic is not None
    rows = {one.type: one for one in image.segments}
    parts = {"dynamic": (rows[c.PT_DYNAMIC].address, rows[c.PT_DYNAMIC].file_size)}
    parts["strings"] = (dynamic.values[c.DT_STRTAB], dynamic.values[c.DT_STRSZ])
    if c.PT_INTERP in rows:
        parts["interpreter"] = (rows[c.PT_INTERP].address, rows[c.PT_INTERP].file_size)
    if c.DT_VERNEED in dynamic.values:
        parts["version needs"] = (dynamic.values[c.DT_VERNEED], 16)
    return parts


def section_of(data: bytes, name: str) -> tuple[int, int, int]:
    """Return (address, offset, size) of a part's section."""
    from denizen.elf.sections import section_headers

    rows = section_headers(data, read(data).header)
    return next(row[3:6] for row in rows if row[1] == _PARTS[name])  # type: ignore[return-value]  # three of them
