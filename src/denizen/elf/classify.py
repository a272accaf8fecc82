"""Classify a file by its content: program, library, script, archive, other format (pure).

For ELF the header and program headers decide, in the order of `_kind_of_elf`. For everything else the
first bytes do: scripts as the kernel sees them, archives, and files that people download by mistake. A
directory has no bytes to classify; the caller who opens files detects it.
"""

from __future__ import annotations

from denizen.elf import constants as c
from denizen.elf.errors import NotElf
from denizen.elf.image import read
from denizen.errors import BadInput
from denizen.value import Enum, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.bytesio import Buffer
    from denizen.elf.image import Image
    from denizen.elf.script import Script

_HEAD = 512
_MAKESELF = b"# This script was generated using Makeself"
_MAKESELF_WINDOW = 64 * 1024
_GO_MARKS = (b"\xff Go buildinf:", b"\xff Go fipsinfo \xff")
# Bytes of the first writable segment that Go's own debug/buildinfo searches.
_GO_WINDOW = 64 * 1024
_UPX_WINDOW = 1024
# The format of a text whose `#!` line is so long that the kernel cannot see the end of the interpreter.
LONG_LINE = "long #! line"


class ProgramKind(Enum):
    """The kind of a file, with regard to starting it."""

    DYNAMIC = "dynamic program"
    LIBRARY = "shared library"
    STATIC = "static program"
    STATIC_PIE = "static position-independent program"
    GO_STATIC = "static Go program"
    RELOCATABLE = "object file"
    KERNEL_MODULE = "kernel module"
    CORE = "core dump"
    OTHER_ELF = "ELF file of another type"
    BROKEN_ELF = "broken ELF file"
    SCRIPT = "script"
    ARCHIVE = "archive of object files"
    THIN_ARCHIVE = "thin archive of object files"
    EMPTY = "empty file"
    FORMAT = "file of another format"
    TEXT = "text"
    UNKNOWN = "unknown data"


# Programs that no dynamic linker starts.
STATIC_KINDS = (ProgramKind.STATIC, ProgramKind.STATIC_PIE, ProgramKind.GO_STATIC)


class Classification(Value):
    """A file's kind and what was parsed to determine it.

    Attributes:
        kind: the kind.
        image: the ELF file, where it could be read.
        script: the interpreter line of a script.
        format: the other format's name (gzip, Windows program, ...), or the packer of a program or
            script (upx, makeself).
        problem: the error of a broken ELF file, or of a script's `env -S` line.
    """

    kind: ProgramKind
    image: Image | None = None
    script: Script | None = None
    format: str | None = None
    problem: BadInput | None = None


def classify(buffer: Buffer) -> Classification:
    """Return the classification of any file; never raises."""
    try:
        image = read(buffer)
    except NotElf:
        return _classify_other(buffer)
    except BadInput as problem:
        return Classification(ProgramKind.BROKEN_ELF, problem=problem)
    packer = "upx" if b"UPX!" in bytes(buffer[:_UPX_WINDOW]) else None
    try:
        return Classification(_kind_of_elf(image), image=image, format=packer)
    except BadInput as problem:
        return Classification(ProgramKind.BROKEN_ELF, image=image, problem=problem)


def _kind_of_elf(image: Image) -> ProgramKind:
    """Return the kind of an ELF file. Raises BadInput where the parts that decide are broken."""
    header = image.header
    match header.type:
        case c.ET_REL:
            from denizen.elf.sections import section_names

            is_module = b"\0.gnu.linkonce.this_module\0" in section_names(image.buffer, header)
            return ProgramKind.KERNEL_MODULE if is_module else ProgramKind.RELOCATABLE
        case c.ET_CORE:
            return ProgramKind.CORE
        case c.ET_EXEC | c.ET_DYN:
            return _kind_of_program(image)
        case _:
            return ProgramKind.OTHER_ELF


def _kind_of_program(image: Image) -> ProgramKind:
    if image.interpreter is not None:
        return ProgramKind.DYNAMIC
    if image.header.type == c.ET_DYN and _is_library(image):
        return ProgramKind.LIBRARY
    if is_go(image):
        return ProgramKind.GO_STATIC
    return ProgramKind.STATIC if image.header.type == c.ET_EXEC else ProgramKind.STATIC_PIE


def _is_library(image: Image) -> bool:
    """Return whether an ET_DYN file without interpreter is a library and not a static program.

    Linkers mark programs with DF_1_PIE since binutils 2.26. Before, a static program had no soname, needed
    nothing and exported nothing; an entry point alone proves nothing, as linkers used to give libraries one.
    """
    dynamic = image.dynamic
    if dynamic is None:
        return not image.header.entry
    if dynamic.flags_1 & c.DF_1_PIE:
        return False
    return bool(dynamic.soname or dynamic.needed or not image.header.entry or image.symbols.defined_names)


def is_go(image: Image) -> bool:
    """Return whether Go's linker made the file.

    It leaves several marks, and its options remove them one by one.
    """
    from denizen.elf.sections import section_names

    data = next((s for s in image.segments if s.type == c.PT_LOAD and s.flags & c.PF_W), None)
    start = b""
    if data is not None:
        start = bytes(image.buffer[data.offset : data.offset + min(data.file_size, _GO_WINDOW)])
    return (
        any(mark in start for mark in _GO_MARKS)
        or any(note.owner == b"Go" for note in image.notes.records)
        or b"\0.gopclntab\0" in section_names(image.buffer, image.header)
    )


def _classify_other(buffer: Buffer) -> Classification:
    from denizen.elf.file_formats import format_of, is_text
    from denizen.elf.script import is_too_long, parse_script

    start = bytes(buffer[:_HEAD])
    if not start:
        return Classification(ProgramKind.EMPTY)
    try:
        script = parse_script(start)
    except BadInput as problem:
        return Classification(ProgramKind.SCRIPT, problem=problem)
    if script is not None:
        packed = _MAKESELF in bytes(buffer[:_MAKESELF_WINDOW])
        return Classification(ProgramKind.SCRIPT, script=script, format="makeself" if packed else None)
    if name := format_of(start):
        return Classification(ProgramKind.FORMAT, format=name)
    for magic, kind in ((b"!<arch>\n", ProgramKind.ARCHIVE), (b"!<thin>\n", ProgramKind.THIN_ARCHIVE)):
        if start.startswith(magic):
            return Classification(kind)
    if not is_text(start):
        return Classification(ProgramKind.UNKNOWN)
    return Classification(ProgramKind.TEXT, format=LONG_LINE if is_too_long(start) else None)
