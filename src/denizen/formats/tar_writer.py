"""Writer of tar archives from the entries of a tree (pure); tar.py is the reader.

Headers are the standard library's (tarfile, POSIX.1-2017 pax): all is root's, with one time, so that the same
entries give the same bytes.
"""

from __future__ import annotations

import tarfile

from denizen.formats.file_tree import Directory, File, Symlink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from denizen.formats.file_tree import Entry

_BLOCK = 512
_RECORD = 20 * _BLOCK
TIME = 1


def write_tar(
    entries: Iterable[Entry],
    write: Callable[[bytes], object],
    *,
    prefix: bytes = b"",
    modes: Mapping[bytes, int] | None = None,
) -> None:
    """Write an archive of the entries but the top.

    Args:
        entries: directories before their content.
        write: is given the bytes, in pieces.
        prefix: put before each path, such as `./`.
        modes: of paths whose mode is not that of a plain file or directory.
    """
    size = 0
    for entry in entries:
        if not entry.path:
            continue
        head = _header(entry, prefix, modes or {})
        write(head)
        size += len(head)
        if isinstance(entry, File):
            size += _write_content(entry, write)
    write(bytes(2 * _BLOCK + -(size + 2 * _BLOCK) % _RECORD))


def _write_content(entry: File, write: Callable[[bytes], object]) -> int:
    written = 0
    for piece in entry.content:
        write(bytes(piece))
        written += len(piece)
    padding = -written % _BLOCK
    write(bytes(padding))
    return written + padding


def _header(entry: Entry, prefix: bytes, modes: Mapping[bytes, int]) -> bytes:
    name = (prefix + entry.path).decode("utf-8", "surrogateescape")
    info = tarfile.TarInfo(name)
    info.mtime = TIME
    if isinstance(entry, Directory):
        info.type, info.mode = tarfile.DIRTYPE, 0o755
    elif isinstance(entry, Symlink):
        info.type, info.mode = tarfile.SYMTYPE, 0o777
        info.linkname = entry.target.decode("utf-8", "surrogateescape")
    else:
        info.size, info.mode = entry.size, 0o755 if entry.executable else 0o644
    info.mode = modes.get(entry.path, info.mode)
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
