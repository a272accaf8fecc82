"""The ELF header and the program headers (pure).

Specification: gABI chapters "ELF Header" and "Program Header"; Linux fs/binfmt_elf.c and glibc
elf/dl-load.c (open_verify) for the checks of a loader.

    e_ident[16] type:2 machine:2 version:4 entry:w phoff:w shoff:w flags:4
    ehsize:2 phentsize:2 phnum:2 shentsize:2 shnum:2 shstrndx:2          (w: 4 or 8 bytes)

Limits: 64 KiB of program headers, as in the kernel (1,170 in the 64-bit class). Core files have as many as
e_phnum says; with PN_XNUM (more than 65,534, counted in section header 0) the first 65,535 are shown.
"""

from __future__ import annotations

import struct

from denizen.bytesio import Truncated, take
from denizen.elf.constants import ET_CORE, ET_DYN, ET_EXEC, ET_REL, MAGIC
from denizen.elf.errors import Malformed, NotElf
from denizen.machines import by_elf, name_of
from denizen.value import Enum, Row, rows_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from denizen.bytesio import Buffer
    from denizen.machines import Machine

IDENT_SIZE = 16
# Bytes of the header of the 64-bit class.
_WHOLE_HEADER = 64
# e_ident's class and byte order -> (bits, little-endian, layout of the header behind e_ident).
_LAYOUTS = {
    b"\1\1": (32, True, struct.Struct("<HHIIIIIHHHHHH")),
    b"\1\2": (32, False, struct.Struct(">HHIIIIIHHHHHH")),
    b"\2\1": (64, True, struct.Struct("<HHIQQQIHHHHHH")),
    b"\2\2": (64, False, struct.Struct(">HHIQQQIHHHHHH")),
}
_SEGMENTS = {
    (order == "<", bits): struct.Struct(order + fields)
    for order in "<>"
    for bits, fields in ((32, "IIIIIIII"), (64, "IIQQQQQQ"))
}
MAX_TABLE = 65_536
SEGMENT_SIZE = {32: 32, 64: 56}


class FileType(Enum):
    """The e_type values that the gABI defines."""

    RELOCATABLE = ET_REL
    EXECUTABLE = ET_EXEC
    SHARED = ET_DYN
    CORE = ET_CORE


class Header(Row):
    """The ELF header; fields as in the gABI without their prefixes, e_ident split up."""

    bits: int
    little: bool
    osabi: int
    abi_version: int
    type: int
    machine: int
    version: int
    entry: int
    phoff: int
    shoff: int
    flags: int
    ehsize: int
    phentsize: int
    phnum: int
    shentsize: int
    shnum: int
    shstrndx: int

    @property
    def order(self) -> str:
        """The byte order as a `struct` prefix."""
        return "<" if self.little else ">"

    @property
    def file_type(self) -> FileType | None:
        """e_type as an enum; None for values specific to a processor or system."""
        try:
            return FileType(self.type)
        except ValueError:
            return None

    @property
    def architecture(self) -> Machine | None:
        """The row of `denizen.machines` for the header's machine, word size and byte order.

        None if unknown.
        """
        return by_elf(self.machine, self.bits, little=self.little)

    @property
    def machine_name(self) -> str:
        """The architecture's usual name, or "machine" and its number."""
        return name_of(self.machine)


class Segment(Row):
    """A program header, with the same fields for both classes."""

    type: int
    flags: int
    offset: int
    address: int
    physical: int
    file_size: int
    memory_size: int
    alignment: int


def parse_header(buffer: Buffer) -> Header:
    """Return the ELF header.

    Raises:
        NotElf: the magic is missing.
        Malformed: the class or the byte order is not one the gABI defines.
        Truncated: the header is incomplete.
    """
    start = bytes(buffer[:_WHOLE_HEADER])
    if start[:4] != MAGIC:
        raise NotElf(start[:4])
    ident = take(start, 0, IDENT_SIZE, "ELF identification") if len(start) < IDENT_SIZE else start
    known = _LAYOUTS.get(ident[4:6])
    if known is None:
        raise Malformed("ELF identification", f"class {ident[4]}, byte order {ident[5]}", 4)
    bits, little, layout = known
    if len(start) < IDENT_SIZE + layout.size:
        raise Truncated("ELF header", IDENT_SIZE, layout.size, len(start))
    return Header._make((bits, little, ident[7], ident[8], *layout.unpack_from(start, IDENT_SIZE)))


def parse_segments(buffer: Buffer, header: Header) -> tuple[Segment, ...]:
    """Return the program headers, in file order.

    Raises:
        Malformed: e_phentsize is not the size of a program header (the kernel and glibc refuse it too).
        Truncated: the table is incomplete.
    """
    if not header.phnum:
        return ()
    size = SEGMENT_SIZE[header.bits]
    if header.phentsize != size:
        raise Malformed("program header table", f"entries of {header.phentsize} bytes", header.phoff)
    if header.phnum * size > MAX_TABLE and header.type != ET_CORE:
        raise Malformed("program header table", f"{header.phnum} segments", header.phoff)
    table = take(buffer, header.phoff, header.phnum * size, "program header table")
    rows: Iterable[tuple[int, ...]] = _SEGMENTS[header.little, header.bits].iter_unpack(table)
    if header.bits == 32:
        # Elf32_Phdr keeps p_flags next to last.
        rows = [(row[0], row[6], *row[1:6], row[7]) for row in rows]
    return tuple(rows_of(Segment, rows))
