"""The checks of ld.so's open_verify on a file before loading it (pure).

Specification: glibc elf/dl-load.c, open_verify, in its order, and the checks that
_dl_map_object_from_fd adds; sysdeps/gnu/ldsodefs.h for the valid OS ABIs. musl checks far less
(ldso/dynlink.c, map_library).

A file of another class or machine is skipped and the search goes on; any other fault ends the start
of the program, even where a valid file would have been found in the next directory.
"""

from __future__ import annotations

import struct

from denizen.elf import constants as c
from denizen.elf.header import SEGMENT_SIZE
from denizen.linker.rule_tables import Reason
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.bytesio import Buffer
    from denizen.elf import Image

HEADER_SIZE = {32: 52, 64: 64}
ELFOSABI_SYSV, ELFOSABI_GNU = 0, 3
# glibc's libc-abis: UNIQUE 1, IFUNC 2, ABSOLUTE 3; the highest ABI version a file may have.
MAX_GNU_ABI = 3
ET_EXEC, ET_DYN = 2, 3
PT_LOAD = 1
DF_1_PIE = 0x08000000


class VerifyTarget(Value):
    """The kind of ELF file that a dynamic linker accepts, which is its own kind."""

    bits: int
    little: bool
    machine: int


def check_glibc(head: bytes, target: VerifyTarget) -> Reason | None:
    """Return why glibc's ld.so would refuse a file that begins with `head` (64 bytes), or None."""
    if len(head) < HEADER_SIZE[target.bits]:
        return Reason.TOO_SHORT
    return _check_ident(head[:16], target) or _check_header(head, target)


def check_musl(head: bytes, target: VerifyTarget) -> Reason | None:
    """Return why musl would refuse it, or None.

    Only e_type is checked, not magic, class or machine (map_library).
    """
    if len(head) < HEADER_SIZE[target.bits]:
        return Reason.TOO_SHORT
    (kind,) = struct.unpack_from("<H" if target.little else ">H", head, 16)
    return None if kind in (ET_EXEC, ET_DYN) else Reason.NOT_LOADABLE


def check_image(image: Image) -> Reason | None:
    """Return why _dl_map_object_from_fd would refuse to map the image as a library, or None."""
    dynamic = image.dynamic
    if PT_LOAD not in [segment.type for segment in image.segments]:
        return Reason.NO_SEGMENTS
    if image.header.type == ET_EXEC:
        return Reason.EXECUTABLE
    if dynamic is None:
        return Reason.NO_DYNAMIC
    return Reason.PIE if dynamic.flags_1 & DF_1_PIE else None


def target_of(image: Image) -> VerifyTarget:
    """Return the kind of ELF file that `image` is."""
    return VerifyTarget(image.header.bits, image.header.little, image.header.machine)


def head_of(buffer: Buffer) -> bytes:
    """Return the first bytes of a file, as many as the checks read."""
    return bytes(buffer[:64])


def _check_ident(ident: bytes, target: VerifyTarget) -> Reason | None:
    if ident[:4] != c.MAGIC:
        return Reason.NOT_ELF
    if ident[4] != target.bits // 32:
        return Reason.WRONG_CLASS
    if ident[5] != (1 if target.little else 2):
        return Reason.BYTE_ORDER
    if ident[6] != 1:
        return Reason.IDENT_VERSION
    if ident[7] not in (ELFOSABI_SYSV, ELFOSABI_GNU):
        return Reason.OSABI
    if ident[8] > (MAX_GNU_ABI if ident[7] == ELFOSABI_GNU else 0):
        return Reason.ABI_VERSION
    return Reason.PADDING if any(ident[9:]) else None


def _check_header(head: bytes, target: VerifyTarget) -> Reason | None:
    order = "<" if target.little else ">"
    kind, machine, version = struct.unpack_from(order + "HHI", head, 16)
    if version != 1:
        return Reason.VERSION
    if machine != target.machine:
        return Reason.WRONG_MACHINE
    if kind not in (ET_EXEC, ET_DYN):
        return Reason.NOT_LOADABLE
    (size,) = struct.unpack_from(order + "H", head, 42 if target.bits == 32 else 54)
    return None if size == SEGMENT_SIZE[target.bits] else Reason.PHENTSIZE
