"""ELF files: header, segments, dynamic section, symbols, versions, notes; by program headers alone (pure)."""

from __future__ import annotations

from denizen.bytesio import Truncated
from denizen.elf.classify import Classification, ProgramKind, classify
from denizen.elf.dynamic import Dynamic
from denizen.elf.errors import Malformed, NotElf
from denizen.elf.header import FileType, Header, Segment
from denizen.elf.image import Image, StackPolicy, read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.elf.notes import AbiTag, DlopenNote, Notes
    from denizen.elf.payload import Payload
    from denizen.elf.script import EnvCall, Script
    from denizen.elf.symbols import Export, Symbols, Undefined
    from denizen.elf.versions import NeededVersion, VersionDefinition, VersionNeed
else:
    from denizen.lazy import importing

    __getattr__ = importing(
        __name__,
        {
            "AbiTag": "notes",
            "DlopenNote": "notes",
            "EnvCall": "script",
            "Export": "symbols",
            "NeededVersion": "versions",
            "Notes": "notes",
            "Payload": "payload",
            "Script": "script",
            "Symbols": "symbols",
            "Undefined": "symbols",
            "VersionDefinition": "versions",
            "VersionNeed": "versions",
        },
    )


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
    "Malformed",
    "NeededVersion",
    "NotElf",
    "Notes",
    "Payload",
    "ProgramKind",
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
