"""Writer of `ld.so.cache` files (pure); ldcache.py is the reader and documents the format.

Only the new format is written, as ldconfig does since glibc 2.32 (`ldconfig --format=new`). Entries are in
the order that ld.so's binary search needs: names descending by `_dl_cache_libcmp`, then flags, glibc-hwcaps
before plain ones (glibc elf/cache.c, `compare`).
"""

from __future__ import annotations

import struct
from functools import cmp_to_key

from denizen.linker.ldcache import (
    ENDIAN_BIG,
    ENDIAN_LITTLE,
    EXTENSION_MAGIC,
    HWCAP_EXTENSION,
    HWCAP_ISA_LEVEL,
    NEW_ENTRY,
    NEW_HEADER,
    NEW_MAGIC,
    TAG_HWCAPS,
    compare,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.linker.ldcache import CacheEntry

_SECTION = 16
_EXTENSION = 8 + _SECTION


def write_cache(entries: Sequence[CacheEntry], *, little: bool = True) -> bytes:
    """Return the bytes of a cache with these entries, which may come in any order."""
    order = "<" if little else ">"
    names = sorted({one.hwcaps for one in entries if one.hwcaps is not None})
    strings = _CacheStrings(NEW_HEADER + NEW_ENTRY * len(entries))
    rows = [
        struct.pack(
            order + "IIIIQ",
            one.flags, strings.at(one.name), strings.at(one.path), one.os_version, _hwcap(one, names),
        )
        for one in sorted(entries, key=cmp_to_key(_descending))
    ]  # fmt: skip
    hwcaps = [strings.at(name) for name in names]
    text = strings.padded()
    extension = strings.start + len(text) if hwcaps else 0
    flags = ENDIAN_LITTLE if little else ENDIAN_BIG
    header = struct.pack(order + "IIB3xI12x", len(rows), len(text), flags, extension)
    return b"".join((NEW_MAGIC, header, *rows, text, _extension(order, extension, hwcaps)))


def _extension(order: str, at: int, hwcaps: Sequence[int]) -> bytes:
    if not hwcaps:
        return b""
    section = struct.pack(order + "IIII", TAG_HWCAPS, 0, at + _EXTENSION, 4 * len(hwcaps))
    return (
        struct.pack(order + "II", EXTENSION_MAGIC, 1)
        + section
        + struct.pack(f"{order}{len(hwcaps)}I", *hwcaps)
    )


def _hwcap(one: CacheEntry, names: Sequence[bytes]) -> int:
    """Return the hwcap word of an entry, which for glibc-hwcaps holds the index of its name in `names`."""
    if one.hwcaps is None:
        return one.hwcap
    level = one.hwcap >> 32 & HWCAP_ISA_LEVEL
    return (HWCAP_EXTENSION | level) << 32 | names.index(one.hwcaps)


def _descending(one: CacheEntry, other: CacheEntry) -> int:
    return compare(other.name, one.name) or _by_rest(one, other)


def _by_rest(one: CacheEntry, other: CacheEntry) -> int:
    mine, theirs = ((-e.flags, e.hwcaps is None, e.hwcaps or b"") for e in (one, other))
    return (mine > theirs) - (mine < theirs)


class _CacheStrings:
    """The string table; offsets count from the start of the file."""

    def __init__(self, start: int) -> None:
        self.start = start
        self._known: dict[bytes, int] = {}
        self._size = 0

    def at(self, text: bytes) -> int:
        if text not in self._known:
            self._known[text] = self._size
            self._size += len(text) + 1
        return self.start + self._known[text]

    def padded(self) -> bytes:
        """Return the whole table, padded to where the extensions may begin."""
        text = b"".join(one + b"\0" for one in self._known)
        return text + bytes(-(self.start + len(text)) % 4)
