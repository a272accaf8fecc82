"""Listing of a Nix archive: its entries and the offsets of file contents, without unpacking it (pure).

Specification: the `.ls` files of Nix binary caches (Nix, src/libstore/nar-accessor.cc, listNar): JSON
with `version` 1 and a `root` whose objects have `type` (regular, symlink, directory), a file's
`size`, `executable` where true, and `narOffset`, the offset of its content, so that one file can be
fetched out of an uncompressed archive by a byte range.
"""

from __future__ import annotations

from denizen.formats.file_tree import Directory, File
from denizen.formats.stream import ByteSource
from denizen.nar.reader import BadNar, NarRule, read_from
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from denizen.formats.file_tree import Entry
    from denizen.formats.stream import Readable

    Json: TypeAlias = dict[str, object]

_VERSION = 1


class Listed(Value):
    """An entry and the offset of its content.

    Attributes:
        entry: the entry; a file has its size, but its content has been skipped.
        offset: of the content's first byte in the archive; 0 for entries that are not files.
    """

    entry: Entry
    offset: int


def entries(stream: Readable) -> Iterator[Listed]:
    """Yield every entry of the archive, in its order; contents are skipped.

    Raises:
        BadNar: the archive breaks a rule.
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
    """Return the listing as the JSON value of a `.ls` file; bytes of names that are not UTF-8 are escaped.

    Raises:
        BadNar: the archive breaks a rule.
        Truncated: the stream ends before the archive does.
    """
    objects: dict[bytes, Json] = {}
    for listed in entries(stream):
        here = objects[listed.entry.path] = _object(listed)
        parent, _, name = listed.entry.path.rpartition(b"/")
        if name:
            inside = objects[parent]["entries"]
            assert isinstance(inside, dict)  # the reader yields entries below directories only
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
    """Return the offset of the content; of a short file the reader has taken content and padding already."""
    taken = entry.size + (-entry.size & 7) if isinstance(entry.content, tuple) else 0
    return source.position - taken
