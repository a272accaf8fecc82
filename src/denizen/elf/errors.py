"""The errors of this package: NotElf and Malformed (pure)."""

from __future__ import annotations

from denizen.errors import BadInput


class NotElf(BadInput):
    """The bytes do not start with the ELF magic.

    Attributes:
        found: the bytes at its place.
    """

    found: bytes
    WHAT = "not an ELF file"

    @property
    def why(self) -> str:
        return f"it starts with {self.found!r}" if self.found else "it is empty"


class Malformed(BadInput):
    """A structure contradicts the format, or exceeds this reader's limits.

    Attributes:
        structure: the structure, as its specification calls it.
        problem: what is wrong with it.
        offset: its file offset, or its address where it is found by address.
    """

    structure: str
    problem: str
    offset: int = 0
    WHAT = "malformed {structure:text} at {offset:#x}"
    WHY = "{problem:text}"
