"""Bounds-checked reads from untrusted bytes (pure).

Every parser of untrusted bytes reads through these functions, so that an offset out of range becomes an
error with its offset and never an IndexError in another function.
"""

from __future__ import annotations

from denizen.errors import BadInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    import mmap
    from typing import TypeAlias

    # The input of parsers. mmap is included because a 400 MB library must not be copied to be read.
    Buffer: TypeAlias = bytes | bytearray | memoryview | mmap.mmap
# Bytes of a file that are searched; 1 GB takes a second.
MAX_SEARCHED = 512 << 20


class Truncated(BadInput):
    """The bytes end before a structure does.

    Attributes:
        structure: the structure, as its specification calls it.
        offset: where it starts, in bytes from the start of the input.
        wanted: number of bytes the structure needs from there.
        size: number of bytes in the whole input.
    """

    structure: str
    offset: int
    wanted: int
    size: int
    WHAT = "{structure:text} is cut short"

    @property
    def why(self) -> str:
        return (
            f"{self.wanted} bytes wanted at offset {self.offset:#x}, "
            f"the input has {max(0, self.size - self.offset)} there"
        )


def take(buffer: Buffer, offset: int, length: int, structure: str) -> bytes:
    """Return the `length` bytes at `offset`; `structure` names the structure in errors.

    Raises:
        Truncated: the range is not wholly inside the buffer (negative offsets included).
    """
    if offset < 0 or length < 0 or offset + length > len(buffer):
        raise Truncated(structure, offset, length, len(buffer))
    return bytes(buffer[offset : offset + length])


def align_up(value: int, alignment: int) -> int:
    """Return the smallest multiple of `alignment` (a power of two) that is not below `value`."""
    return (value + alignment - 1) & ~(alignment - 1)


def find_text(data: Buffer, text: bytes, start: int = 0) -> int:
    """Return the offset of a text in a file from `start` on; -1 where it is not in the first 512 MB."""
    # A view over memory that was written to cannot be searched; no file on disk is one.
    return -1 if isinstance(data, memoryview) else data.find(text, start, MAX_SEARCHED)
