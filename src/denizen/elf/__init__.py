"""What an ELF file says about itself, read through program headers alone (pure)."""

from __future__ import annotations

from denizen.bytesio import Truncated
from denizen.elf.classify import Classification, Kind, classify
from denizen.elf.dynamic import Dynamic
from denizen.elf.faults import Malformed, NotElf
from denizen.elf.header import FileType, Header, Segment
from denizen.elf.image import Image, StackPolicy, read
from denizen.elf.notes import AbiTag, DlopenNote, Notes
from denizen.elf.payload import Payload
from denizen.elf.script import EnvCall, Script
from denizen.elf.symbols import Export, Symbols, Undefined
from denizen.elf.versions import NeededVersion, VersionDefinition, VersionNeed

__all__ = [
    "AbiTag",
    "Classification",
    "DlopenNote",
    "Dynamic",
    "EnvCall",
    "Export",
    "FileType",
    "Header",
    "Image",
    "Kind",
    "Malformed",
    "NeededVersion",
    "NotElf",
    "Notes",
    "Payload",
    "Script",
    "Segment",
    "StackPolicy",
    "Symbols",
    "Truncated",
    "Undefined",
    "VersionDefinition",
    "VersionNeed",
    "classify",
    "read",
]
