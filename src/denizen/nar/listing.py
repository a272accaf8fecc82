"""What is where in a Nix archive, without unpacking it (pure).

Specification: the `.ls` files of Nix binary caches (Nix, src/libstore/nar-accessor.cc, listNar): JSON
with `version` 1 and a `root` whose objects have `type` (regular, symlink, directory), a file's
`size`, `executable` where true, and `narOffset`: where its content begins, so that one file can be
fetched out of an uncompressed archive by a byte range.
"""

from __future__ import annotations

from denizen.formats.file_tree import Directory, File
from denizen.formats.stream import ByteSource
from denizen.nar.reader import BadNar, NarRule, read_from
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from denizen.formats.file_tree import Entry
    from denizen.formats.stream import Readable

    Json: TypeAlias = dict[str, object]

_VERSION = 1


@value
class Listed:
    """An entry and where its content is.

    Attributes:
        entry: with a file's content gone by; its size is still told.
        offset: of the content's first byte in the archive; 0 for what is not a file.
    """

    entry: Entry
    offset: int


def entries(stream: Readable) -> Iterator[Listed]:
    """Every entry of the archive, in its order; the contents are passed over.

    Raises:
        BadNar: a broken rule.
        Truncated: the stream ends before the archive does.
    """
    source = ByteSource(stream)
    for entry in read_from(source):
        if isinstance(entry, File):
            yield Listed(File(entry.path, entry.executable, entry.size, ()), _content_start(source, entry))
        else:
            yield Listed(entry, 0)
    if not source.at_end():
        raise BadNar(NarRule.TRAILING, source.position, b"")


def document(stream: Readable) -> Json:
    """The listing as the JSON value of a `.ls` file; a name that is not UTF-8 has its bytes escaped.

    Raises:
        BadNar: a broken rule.
        Truncated: the stream ends before the archive does.
    """
    objects: dict[bytes, Json] = {}
    for listed in entries(stream):
        here = objects[listed.entry.path] = _object(listed)
        parent, _, name = listed.entry.path.rpartition(b"/")
        if name:
            inside = objects[parent]["entries"]
            assert isinstance(inside, dict)  # the reader lets nothing lie inside what is no directory
            inside[name.decode("utf-8", "backslashreplace")] = here
    return {"version": _VERSION, "root": objects[b""]}


def _object(listed: Listed) -> Json:
    entry = listed.entry
    if isinstance(entry, Directory):
        return {"type": "directory", "entries": {}}
    if not isinstance(entry, File):
        return {"type": "symlink", "target": entry.target.decode("utf-8", "backslashreplace")}
    executable = {"executable": True} if entry.executable else {}
    return {"type": "regular", "size": entry.size, **executable, "narOffset": listed.offset}


def _content_start(source: ByteSource, entry: File) -> int:
    """Where the content began: the reader has taken a short file's content and padding already."""
    taken = entry.size + (-entry.size & 7) if isinstance(entry.content, tuple) else 0
    return source.position - taken
