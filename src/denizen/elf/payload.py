r"""Payloads: applications packed into the file of their runtime (AppImage, PyInstaller, ...) (pure).

Such a program reads its own file, and tools that move its bytes (strip, patchelf) break it. Packers that
know nothing of ELF append to the file; others put a note, a section or a larger segment into it. Where a file
with such a payload may grow: relocate/payload_rules.py, in which each kind needs a row. Which kinds do not
unpack themselves: app/temporary_directory.py. How each is recognised, and what that was tested on:

    appimage     "AI" and the type in e_ident[8:11]; its file system is appended (type 2), or the whole
                 file is an ISO image (type 1)                          AppImage specification
    node-sea     a note owned by NODE_SEA_BLOB                          node 20 with postject 1.0
    deno         "d3n0l4nd": in a note of type 0x53554901 owned by SUI (libsui's ELF.md), before that in
                 the file's last 40 bytes                               after the projects' sources
    bun          "\n---- Bun! ----\n" at the end of a segment but for zero padding; before bun 1.3 ahead
                 of the file's last 8 bytes                             bun 1.3
    pyinstaller  the cookie "MEI\014\013\012\013\016" near the end of the file, appended or in a section;
                 it holds the length of the payload before it           PyInstaller 6
    dotnet       in a writable segment, the digest by which .NET's host finds the bundle, and before it the
                 bundle's offset                                        a program of the corpus
    pkg          the head of its prelude, the last thing in the file    after @yao-pkg/pkg 6
    otherwise    the format that the appended bytes start with; zip is read from its end

Where section headers are valid, bytes that a section covers do not count as appended.

Limits: every search looks at a window of fixed size, and at four segments at most.
"""

from __future__ import annotations

from struct import Struct

from denizen.bytesio import take
from denizen.elf import constants as c
from denizen.elf.sections import end_of_sections
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.bytesio import Buffer
    from denizen.elf.header import Header, Segment
    from denizen.elf.notes import Notes

_BUN = b"\n---- Bun! ----\n"
_DENO = b"d3n0l4nd"
_SUI_TYPE = 0x53554901
_MEI = b"MEI\014\013\012\013\016"
_MEI_LENGTH = Struct(">I")
_DOTNET = bytes.fromhex("8b1202b96a612038727b930214d7a03213f5b9e6efae3318ee3b2dce24b36aae")
_PKG = b"(function(process, require, console, EXECPATH_FD, PAYLOAD_POSITION, PAYLOAD_SIZE) {"
_ZIP_END = b"PK\5\6"

_TAIL = 128 * 1024  # holds the largest zip comment, and PyInstaller's cookie before the section headers
_SEGMENTS = 4  # segments of each kind searched, the last ones
_PADDING = 64 * 1024  # the largest page
_SHORT_PADDING = 256
_LONG_PADDING = 16 * 1024 * 1024
_HOST_DATA = 4 * 1024 * 1024  # writable data of .NET's host: 158 KiB in .NET 8
_PRELUDE = 16 * 1024 * 1024  # 90 KiB of code, and the names of all files packed


class Payload(Value):
    """The location of the application in the file.

    Attributes:
        kind: its kind, as listed above; None for appended bytes of no known format.
        offset: file offset of its first byte.
        size: its length in bytes.
        appended: it lies behind everything the ELF headers account for.
    """

    kind: str | None
    offset: int
    size: int
    appended: bool


def find_payload(
    buffer: Buffer, header: Header, segments: tuple[Segment, ...], notes: Notes, end: int
) -> Payload | None:
    """Return the payload of a program or library; None where every byte belongs to a segment or section.

    `end`: `end_of_elf` of the file.
    """
    if header.type not in (c.ET_EXEC, c.ET_DYN):
        return None
    return (
        _appimage(buffer, end)
        or _in_notes(notes)
        or _bun_segment(buffer, segments)
        or _pyinstaller(buffer, end)
        or _appended(buffer, segments, end)
    )


def end_of_elf(
    buffer: Buffer,
    header: Header,
    segments: tuple[Segment, ...],
    sections: list[tuple[int, ...]] | None = None,
) -> int:
    """Return the offset behind the last byte that the ELF headers account for.

    `sections`: the fields of the section headers, if they are known.
    """
    tables = header.phoff + header.phnum * header.phentsize
    ends = [s.offset + s.file_size for s in segments if s.file_size]
    return min(len(buffer), max(header.ehsize, tables, *ends, end_of_sections(buffer, header, sections)))


def _appimage(buffer: Buffer, end: int) -> Payload | None:
    mark = take(buffer, 8, 3, "ELF identification")
    if mark == b"AI\1":
        return Payload("appimage", 0, len(buffer), appended=False)
    if mark == b"AI\2":
        return Payload("appimage", end, len(buffer) - end, appended=True)
    return None


def _in_notes(notes: Notes) -> Payload | None:
    for note in notes.records:
        if note.owner == b"NODE_SEA_BLOB":
            return Payload("node-sea", note.offset, len(note.content), appended=False)
        # The content starts with the name's length in two bytes and the name.
        if note.owner == b"SUI" and note.type == _SUI_TYPE and note.content[2 : 2 + len(_DENO)] == _DENO:
            return Payload("deno", note.offset, len(note.content), appended=False)
    return None


def _bun_segment(buffer: Buffer, segments: tuple[Segment, ...]) -> Payload | None:
    for segment in [s for s in segments if s.type == c.PT_LOAD][-_SEGMENTS:]:
        end = min(segment.offset + segment.file_size, len(buffer))
        # Few segments end in more zeros than the first window holds.
        for window in (_SHORT_PADDING, _PADDING):
            start = max(segment.offset, end - window)
            tail = bytes(buffer[start:end]).rstrip(b"\0")
            if tail.endswith(_BUN):
                return Payload("bun", segment.offset, start + len(tail) - segment.offset, appended=False)
            if len(tail) >= len(_BUN):
                break
    return None


def _pyinstaller(buffer: Buffer, end: int) -> Payload | None:
    start = max(0, len(buffer) - _TAIL)
    if isinstance(buffer, bytes):
        cookie = buffer.rfind(_MEI, start)
    else:
        at = bytes(buffer[start:]).rfind(_MEI)
        cookie = -1 if at < 0 else start + at
    if cookie < 0 or len(buffer) - cookie < len(_MEI) + _MEI_LENGTH.size:
        return None
    (length,) = _MEI_LENGTH.unpack(take(buffer, cookie + len(_MEI), _MEI_LENGTH.size, "PyInstaller's cookie"))
    # The length counts the cookie, 88 bytes since PyInstaller 2.1 and 24 before.
    for size in (88, 24):
        first = cookie + size - length
        if 0 < first <= cookie and cookie + size <= len(buffer):
            return Payload("pyinstaller", first, length, appended=first >= end)
    return None


def _appended(buffer: Buffer, segments: tuple[Segment, ...], end: int) -> Payload | None:
    size = len(buffer) - end
    # patchelf leaves a NUL behind the sections, other tools pad the file: zig's linker by a megabyte.
    if size <= _LONG_PADDING and _is_padding(buffer, end):
        return None
    tail = bytes(buffer[max(end, len(buffer) - _TAIL) :])
    if _BUN in tail[-len(_BUN) - 8 :]:
        return Payload("bun", end, size, appended=True)
    if _DENO in tail[-40:]:
        return Payload("deno", end, size, appended=True)
    if _is_dotnet_bundle(buffer, segments):
        return Payload("dotnet", end, size, appended=True)
    if bytes(buffer[max(end, len(buffer) - _PRELUDE) :]).rfind(_PKG) >= 0:
        return Payload("pkg", end, size, appended=True)
    from denizen.elf.file_formats import format_of

    known = format_of(bytes(buffer[end : end + 512]))
    return Payload(known or ("zip" if _ZIP_END in tail else None), end, size, appended=True)


def _is_padding(buffer: Buffer, start: int) -> bool:
    pieces = (bytes(buffer[at : at + _PADDING]) for at in range(start, len(buffer), _PADDING))
    return not any(piece.strip(b"\0") for piece in pieces)


def _is_dotnet_bundle(buffer: Buffer, segments: tuple[Segment, ...]) -> bool:
    """Return whether .NET's host names a bundle: its offset precedes the digest, 0 where there is none."""
    writable = [s for s in segments if s.type == c.PT_LOAD and s.flags & c.PF_W]
    for segment in writable[-_SEGMENTS:]:
        length = min(segment.file_size, _HOST_DATA)
        at = bytes(buffer[segment.offset : segment.offset + length]).find(_DOTNET)
        if at >= 8:
            start = segment.offset + at - 8
            offset = int.from_bytes(take(buffer, start, 8, ".NET bundle offset"), "little")
            return 0 < offset < len(buffer)
    return False
