"""Packages that were read for their facts, held in memory: to be unpacked they are not decoded again.

A first start reads a package for its facts (resolve/cache/package_facts.py), and unpacks it some tenths of a
second later. Decoding it is two thirds of the work of each.
"""

from __future__ import annotations

from _thread import allocate_lock

from denizen.formats.file_tree import File
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.formats.file_tree import ArchiveEntry

# Bytes of content that are held in memory of all packages read for their facts. The 60 of a program of
# GTK 3 and NSS have 53 MB.
ROOM = 64 * 1024 * 1024


class ReadPackages:
    """The entries of packages, with their content, by the hash of the .deb; of a merged /usr.

    The hash was checked before the package was decoded. Several threads may use it.
    """

    def __init__(self, room: int = ROOM) -> None:
        """Hold up to `room` bytes of content."""
        self._size = room
        self._room = room
        self._packages: dict[bytes, list[ArchiveEntry]] = {}
        self._lock = allocate_lock()

    @property
    def room(self) -> int:
        """The bytes of content for which there is room; threads that read at once share it."""
        return self._room

    def keep(self, sha256: bytes, entries: list[ArchiveEntry]) -> None:
        """Hold the entries of a package if there is room for all of their content."""
        size = sum([entry.size for entry in entries if isinstance(entry, File)])
        with self._lock:
            if size <= self._room and sha256 not in self._packages:
                self._room -= size
                self._packages[sha256] = entries

    def entries(self, sha256: bytes) -> list[ArchiveEntry] | None:
        """Return the entries of a package; None if they are not held."""
        return self._packages.get(sha256)

    def clear(self) -> None:
        """Hold nothing of what was read until now."""
        with self._lock:
            self._packages.clear()
            self._room = self._size


def in_memory(entries: Iterator[ArchiveEntry], room: int) -> tuple[list[ArchiveEntry], bool]:
    """Return entries with their content in memory, and whether they are all of the archive.

    If they have more than `room` bytes they are not all: the last entry's content has not been read yet.
    """
    held: list[ArchiveEntry] = []
    size = 0
    for entry in entries:
        if isinstance(entry, File):
            size += entry.size
            if size > room:
                return [*held, entry], False
            held.append(replace(entry, content=tuple(entry.content)))
        else:
            held.append(entry)
    return held, True
