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
    # Imported at first use: 0.3 to 0.6 ms a module.
    _MODULES = {
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
    }

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module = __import__(f"{__name__}.{_MODULES[name]}", fromlist=[name])
        return globals().setdefault(name, getattr(module, name))


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
