"""Addresses in the memory of a dynamic linker that a decision names, read from its file (pure)."""

from __future__ import annotations

from denizen.elf.constants import PF_X, PT_LOAD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.elf.image import Image


def r_debug_of(ldso: Image) -> int:
    """Return the address of `_r_debug` in this dynamic linker; 0 if it exports none."""
    names = ldso.symbols.names
    return ldso.symbols.values[names.index(b"_r_debug")] if b"_r_debug" in names else 0


def address_of(ldso: Image, offset: int) -> Iterator[int]:
    """Yield the address of data at an offset of the dynamic linker's file; none for what is not loaded.

    None for code either, which the loader never edits: linkers that do not separate code and data keep
    strings in it.
    """
    for segment in ldso.segments:
        within = segment.offset <= offset < segment.offset + segment.file_size
        if segment.type == PT_LOAD and within and not segment.flags & PF_X:
            yield segment.address + offset - segment.offset
