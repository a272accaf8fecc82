"""cpio archives in the format `newc`, as the kernel unpacks an initramfs (pure).

Specification: Documentation/driver-api/early-userspace/buffer-format.rst of Linux; cpio(5). Written only.
Times and device numbers are zero, so that one tree makes one archive.
"""

from __future__ import annotations

from denizen.formats.file_tree import Directory, File, Symlink
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from denizen.bytesio import Buffer
    from denizen.formats.file_tree import Entry

_MAGIC = b"070701"
_FILE, _DIRECTORY, _LINK = 0o100000, 0o040000, 0o120000
_END = b"TRAILER!!!"


class CpioEntry(Value):
    """An entry with a mode and an owner of its own; others are root's, with the usual modes.

    Attributes:
        mode: the permissions.
    """

    entry: Entry
    mode: int
    uid: int = 0
    gid: int = 0


def write_cpio(entries: Iterable[Entry | CpioEntry]) -> Iterator[Buffer]:
    """Yield an archive of entries, directories before what is in them."""
    number = 0
    for number, one in enumerate(entries, 1):
        given = one if isinstance(one, CpioEntry) else CpioEntry(one, _usual_mode(one))
        yield from _written(given, number)
    yield _header(_END, number + 1, 0, CpioEntry(Directory(_END), 0), 0)


def _usual_mode(entry: Entry) -> int:
    if isinstance(entry, Symlink):
        return 0o777
    return 0o755 if isinstance(entry, Directory) or entry.executable else 0o644


def _written(given: CpioEntry, number: int) -> Iterator[Buffer]:
    entry = given.entry
    if isinstance(entry, File):
        yield _header(entry.path, number, _FILE, given, entry.size)
        yield from entry.content
        yield bytes(-entry.size % 4)
    elif isinstance(entry, Symlink):
        yield _header(entry.path, number, _LINK, given, len(entry.target))
        yield entry.target + bytes(-len(entry.target) % 4)
    else:
        yield _header(entry.path, number, _DIRECTORY, given, 0)


def _header(path: bytes, number: int, kind: int, given: CpioEntry, size: int) -> bytes:
    links = 2 if kind == _DIRECTORY else 1
    fields = (number, kind | given.mode, given.uid, given.gid, links, 0, size, 0, 0, 0, 0, len(path) + 1, 0)
    header = _MAGIC + b"".join(b"%08X" % field for field in fields) + path + b"\0"
    return header + bytes(-len(header) % 4)
