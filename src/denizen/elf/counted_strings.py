"""The short strings of a program that are known by their address and length, as Go's and Rust's are (pure).

Such strings run into each other in the file, with no byte between, so the file is searched for what leads to
them: in code an address that is relative to the instruction, and a length loaded soon after it; among data an
address with the length behind it.

Limits: x86-64 programs that are not moved when they start (Go's usual kind; of others the addresses among
data are in relocations); a length that is computed is not seen. What is no string of the program's, as a part
of one, may be among them: the caller knows what it looks for.
"""

from __future__ import annotations

import re

from denizen.elf.constants import PF_X, PT_LOAD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from mmap import mmap

    from denizen.elf.header import Segment
    from denizen.elf.image import Image

    Bytes = bytes | bytearray | mmap

_X86_64 = 62
_MAX_SEARCHED = 256 << 20
# Linkers make two to six.
_MAX_SEGMENTS = 16
_WORD = 8
# "lea displacement(%rip), register", then, at most 12 bytes on, a length of 2 to 40 that is moved to a
# register or to a place on the stack.
_IN_CODE = re.compile(
    rb"[\x48\x4c]\x8d[\x05\x0d\x15\x1d\x25\x2d\x35\x3d](.{4}).{0,12}?"
    rb"(?:[\xb8-\xbf]|\xc7[\x40-\x47].|\xc7\x44\x24.|\xc7\x84\x24.{4})([\x02-\x28])\0\0\0",
    re.DOTALL,
)
_AFTER_LEA = 7
# An address below 4 GB and a length, at every offset.
_AMONG_DATA = re.compile(rb"(?=(.{4})\0{4}([\x02-\x28])\0{7})", re.DOTALL)


def counted_strings(image: Image) -> Iterator[bytes]:
    """Yield the strings of 2 to 40 bytes to which code and data of a program lead, some repeatedly."""
    data = image.buffer
    if image.header.machine != _X86_64 or isinstance(data, memoryview):
        return
    loaded = [one for one in image.segments if one.type == PT_LOAD][:_MAX_SEGMENTS]
    for segment in loaded:
        start = min(segment.offset, len(data))  # `re` takes no larger number than a machine word
        end = start + min(segment.file_size, _MAX_SEARCHED, len(data) - start)
        pairs = _from_code if segment.flags & PF_X else _from_data
        for address, length in pairs(data, start, end, segment.address - segment.offset):
            text = _text_at(data, loaded, address, length)
            if text:
                yield text


def _from_code(data: Bytes, start: int, end: int, bias: int) -> Iterator[tuple[int, int]]:
    for match in _IN_CODE.finditer(data, start, end):
        displacement = int.from_bytes(match[1], "little", signed=True)
        yield match.start() + bias + _AFTER_LEA + displacement, match[2][0]


def _from_data(data: Bytes, start: int, end: int, bias: int) -> Iterator[tuple[int, int]]:
    for match in _AMONG_DATA.finditer(data, start, end):
        if not (match.start() + bias) % _WORD:
            yield int.from_bytes(match[1], "little"), match[2][0]


def _text_at(data: Bytes, loaded: list[Segment], address: int, length: int) -> bytes:
    """Return the bytes at an address of the loaded program; b"" where no file's bytes are."""
    for one in loaded:
        at = address - one.address
        if at >= 0 and at + length <= one.file_size:
            return bytes(data[one.offset + at : one.offset + at + length])
    return b""
