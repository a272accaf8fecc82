"""The place where bytes may be put in, by how a program finds the application packed into its file (pure).

    behind   at the end of the file: the program knows its payload's offset, or finds it from the section
             headers (AppImage: behind the section header table), or searches the whole file (PyInstaller 4)
    ahead    between the program and its payload, which is found from the end of the file and knows only
             distances within itself
    repeat   at the end of the file, and the last bytes of the file once more behind them: these hold
             offsets from the file's start
    comment  at the end of the file, as the end of a zip archive's comment, where the archive's offsets are
             from the file's start (zip -A): some readers (bazel's) take them as they are. Where they are
             from the archive's start, every reader must look how far ahead of that the file begins

A payload that is found in no known way stays where it is: such a file is not given more bytes.
"""

from __future__ import annotations

from struct import Struct

from denizen.relocate.errors import CannotPatch
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.bytesio import Buffer
    from denizen.elf import Image

_RULES = {
    "appimage": "behind",
    "pkg": "behind",
    "dotnet": "behind",
    "bun": "ahead",
    "pyinstaller": "ahead",
    "zip": "ahead",
    "deno": "repeat",
}
# Deno's last bytes: its mark and four offsets (deno 1.33 to 1.46). Before, the metadata reached to the end.
_DENO_TAIL, _DENO_MARK = 40, b"d3n0l4nd"
# The end record of a zip archive (APPNOTE.TXT 4.3.16): its last fields are size and offset of the directory
# and the length of the comment behind it.
_ZIP_END, _ZIP_MARK, _ZIP_ENTRY = Struct("<4s4H2IH"), b"PK\5\6", b"PK\1\2"
_ZIP_COMMENT = 20
# The locator of a zip64 end record is ahead of the end record, and has its offset (4.3.15).
_ZIP64_LOCATOR, _ZIP64_MARK, _ZIP64_END = Struct("<4sIQI"), b"PK\6\7", b"PK\6\6"
LONGEST_COMMENT = 0xFFFF


class Insertion(Value):
    """The place where bytes may be put in.

    Attributes:
        offset: of the bytes put in.
        tail: what is repeated at the end of the file.
        comment: offset of the two bytes that say how long a zip archive's comment is, which the bytes put in
            become a part of; 0 where there is none.
    """

    offset: int
    tail: bytes = b""
    comment: int = 0


def insertion(image: Image) -> Insertion:
    """Return where bytes may be put into the file. Raises CannotPatch: a payload would not be found again."""
    size = len(image.buffer)
    # Linkers put the section headers last: nothing is behind them in most files, and no payload is sought.
    payload = image.payload if image.end < size else None
    if payload is None or not payload.appended or not payload.size:
        return Insertion(size)
    match _RULES.get(payload.kind or ""):
        case "behind":
            return Insertion(size)
        case "ahead":
            comment = _comment_of_adjusted(image.buffer) if payload.kind == "zip" else 0
            return Insertion(size, comment=comment) if comment else Insertion(payload.offset)
        case "repeat" if bytes(image.buffer[size - _DENO_TAIL :]).startswith(_DENO_MARK):
            return Insertion(size, bytes(image.buffer[size - _DENO_TAIL :]))
    kind = payload.kind or "unknown data"
    raise CannotPatch(
        f"{payload.size} bytes ({kind}) are appended to it, and nothing tells how it finds them; "
        "the change does not fit without moving them"
    )


def comment_length_at(buffer: Buffer, before: int) -> int:
    """Return the offset of the length of a zip archive's comment that reaches to the end of the file.

    `before`: the archive's end record is ahead of this offset. 0 where there is none.
    """
    start = max(0, before - _ZIP_END.size - LONGEST_COMMENT)
    window = bytes(buffer[start:before])
    at = len(window)
    while (at := window.rfind(_ZIP_MARK, 0, at)) >= 0:
        place = start + at
        rest = len(buffer) - place - _ZIP_END.size
        if rest >= 0 and rest == int.from_bytes(buffer[place + _ZIP_COMMENT :][:2], "little"):
            return place + _ZIP_COMMENT
    return 0


def _comment_of_adjusted(buffer: Buffer) -> int:
    """Return `comment_length_at` of an archive whose offsets are from the file's start; else 0."""
    comment = comment_length_at(buffer, len(buffer))
    if not comment:
        return 0
    record = comment - _ZIP_COMMENT
    offset = _ZIP_END.unpack_from(buffer, record)[6]
    if bytes(buffer[offset : offset + len(_ZIP_ENTRY)]) == _ZIP_ENTRY:
        return comment
    if record < _ZIP64_LOCATOR.size:
        return 0
    mark, _, offset, _ = _ZIP64_LOCATOR.unpack_from(buffer, record - _ZIP64_LOCATOR.size)
    is_adjusted = mark == _ZIP64_MARK and bytes(buffer[offset : offset + len(_ZIP64_END)]) == _ZIP64_END
    return comment if is_adjusted else 0
