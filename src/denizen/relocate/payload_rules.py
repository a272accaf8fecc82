"""The place where bytes may be put in, by how a program finds the application packed into its file (pure).

    behind   at the end of the file: the program knows its payload's offset, or finds it from the section
             headers (AppImage: behind the section header table), or searches the whole file (PyInstaller 4)
    ahead    between the program and its payload, which is found from the end of the file and knows only
             distances within itself
    repeat   at the end of the file, and the last bytes of the file once more behind them: these hold
             offsets from the file's start

A payload that is found in no known way stays where it is: such a file is not given more bytes.
"""

from __future__ import annotations

from denizen.relocate.errors import CannotPatch
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
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


@value
class Insertion:
    """The offset where bytes may be put in, and what is repeated at the end of the file."""

    offset: int
    tail: bytes = b""


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
            return Insertion(payload.offset)
        case "repeat" if bytes(image.buffer[size - _DENO_TAIL :]).startswith(_DENO_MARK):
            return Insertion(size, bytes(image.buffer[size - _DENO_TAIL :]))
    kind = payload.kind or "unknown data"
    raise CannotPatch(
        f"{payload.size} bytes ({kind}) are appended to it, and nothing tells how it finds them; "
        "the change does not fit without moving them"
    )
