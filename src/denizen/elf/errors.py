"""What can be wrong with an ELF file (pure).

The leaves are shared by the package's modules, which raise them with the structure at fault.
"""

from __future__ import annotations

from denizen.errors import BadInput


class NotElf(BadInput):
    """The bytes do not start with the ELF magic.

    Attributes:
        found: the first bytes there are.
    """

    found: bytes
    WHAT = "not an ELF file"

    @property
    def why(self) -> str:
        return f"it starts with {self.found!r}" if self.found else "it is empty"


class Malformed(BadInput):
    """A structure contradicts the format, or asks for more than this reader's limits allow.

    Attributes:
        structure: the structure, in the words of its specification.
        problem: what is wrong with it.
        offset: where it is: a file offset, or an address for what is found through addresses.
    """

    structure: str
    problem: str
    offset: int = 0
    WHAT = "malformed {structure:text} at {offset:#x}"
    WHY = "{problem:text}"
