"""Writer of Nix archives: from the entries of a tree to bytes (pure).

The entries must come in the archive's own order: a directory, then its content with names increasing
as bytes. The writer checks this, because an archive out of order has another hash than the tree.
"""

from __future__ import annotations

from denizen.errors import DenizenError, display
from denizen.formats.file_tree import Directory, File, Symlink
from denizen.formats.stream import BLOCK
from denizen.nar import codec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from denizen.bytesio import Buffer
    from denizen.formats.file_tree import Entry

_FILE = {False: codec.FILE_NODE, True: codec.EXECUTABLE_NODE}


class UnfitEntry(DenizenError):
    """The producer of entries is wrong: a defect of denizen, or a file that changed while it was read."""

    path: bytes
    reason: str
    WHAT = "cannot serialise '{path}'"
    WHY = "{reason:text}"


def write(entries: Iterable[Entry]) -> Iterator[Buffer]:
    """Yield the archive's bytes in pieces of about `BLOCK` or larger; a file's large pieces are not copied.

    Raises:
        UnfitEntry: entries are out of order, or a file's content does not have its size.
    """
    pending: list[Buffer] = []
    held = 0
    for piece in _pieces(entries):
        size = len(piece)
        if size >= BLOCK:
            yield b"".join(pending)
            yield piece
            pending, held = [], 0
            continue
        pending.append(piece)
        held += size
        if held >= BLOCK:
            yield b"".join(pending)
            pending, held = [], 0
    yield b"".join(pending)


def _pieces(entries: Iterable[Entry]) -> Iterator[Buffer]:
    stream = iter(entries)
    top = next(stream, None)
    if top is None or top.path != b"":
        raise UnfitEntry(b"" if top is None else top.path, "a tree begins with its top")
    yield codec.MAGIC
    yield from _object(top)
    if isinstance(top, Directory):
        yield from _below(stream)
    elif (more := next(stream, None)) is not None:
        raise UnfitEntry(more.path, "the tree's top is not a directory")
    yield codec.CLOSE


def _below(stream: Iterator[Entry]) -> Iterator[Buffer]:
    """Yield everything inside the top, up to its own closing token."""
    # The directories that are open, and the last name in each of them but the innermost.
    parent, last = b"", b""
    outer: list[tuple[bytes, bytes]] = []
    for entry in stream:
        above, _, name = entry.path.rpartition(b"/")
        while above != parent:
            if not outer:
                raise UnfitEntry(entry.path, "it comes before its directory, or after the end of it")
            parent, last = outer.pop()
            yield codec.END
        if name <= last:
            raise UnfitEntry(entry.path, f"it comes after '{display(last)}', which sorts behind it")
        last = name
        yield b"%b%b%b" % (codec.NAMED, codec.string(name), codec.NODE)
        yield from _object(entry)
        if isinstance(entry, Directory):
            outer.append((parent, last))
            parent, last = entry.path, b""
        else:
            yield codec.END
    yield codec.END * len(outer)


def _object(entry: Entry) -> Iterator[Buffer]:
    """Yield an object without its closing token."""
    if isinstance(entry, File):
        yield _FILE[entry.executable] + codec.pack_length(entry.size)
        size = 0
        for piece in entry.content:
            size += len(piece)
            yield piece
        if size != entry.size:
            raise UnfitEntry(entry.path, f"it gave {size} bytes and not {entry.size}: did it change?")
        yield codec.padding(size)
    elif isinstance(entry, Symlink):
        yield codec.SYMLINK_NODE + codec.string(entry.target)
    else:
        yield codec.DIRECTORY_NODE
