"""What an ELF file says about itself, read through program headers alone (pure)."""

from __future__ import annotations

from denizen.bytesio import Truncated
from denizen.elf.dynamic import Dynamic
from denizen.elf.faults import Malformed, NotElf
from denizen.elf.header import FileType, Header, Segment
from denizen.elf.image import Image, StackPolicy, read
from denizen.elf.symbols import Export, Symbols, Undefined
from denizen.elf.versions import NeededVersion, VersionDefinition, VersionNeed

__all__ = [
    "Dynamic",
    "Export",
    "FileType",
    "Header",
    "Image",
    "Malformed",
    "NeededVersion",
    "NotElf",
    "Segment",
    "StackPolicy",
    "Symbols",
    "Truncated",
    "Undefined",
    "VersionDefinition",
    "VersionNeed",
    "read",
]
