"""Bounded reads from foreign bytes (pure).

Every parser of foreign bytes reads through these, so that an offset out of range becomes a value
with its offset and never an IndexError three calls later.
"""

from __future__ import annotations

from denizen.errors import BadInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    import mmap
    from typing import TypeAlias

    # What the parsers accept. mmap is here because a 400 MB library must not be copied to be read.
    Buffer: TypeAlias = bytes | bytearray | memoryview | mmap.mmap


class Truncated(BadInput):
    """The bytes end before a structure does.

    Attributes:
        structure: what was being read, in the words of its specification.
        offset: where it starts, in bytes from the start of the input.
        wanted: bytes the structure needs from there.
        size: bytes the input has in all.
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
    """The `length` bytes at `offset`.

    Raises:
        Truncated: the range is not wholly inside the buffer (negative offsets included).
    """
    if offset < 0 or length < 0 or offset + length > len(buffer):
        raise Truncated(structure, offset, length, len(buffer))
    return bytes(buffer[offset : offset + length])


def align_up(value: int, alignment: int) -> int:
    """The smallest multiple of `alignment` (a power of two) that is not below `value`."""
    return (value + alignment - 1) & ~(alignment - 1)
