"""`ld.so.cache`: lookup by ld.so's rules, reading no more of the file than a lookup needs (pure).

Specification: glibc sysdeps/generic/dl-cache.h and elf/dl-cache.c; docs/formats/ld.so.cache.md.

    old   "ld.so-1.7.0" pad:1 count:4  entry[count] strings      entry: flags:4 key:4 value:4
    new   "glibc-ld.so.cache1.1" count:4 strings_size:4 flags:1 pad:3 extensions:4 unused:12
          entry[count] strings                                   entry: flags:4 key:4 value:4
                                                                        os:4 hwcap:8
    combined: old, then new at the next multiple of 8
    extensions: magic:4 count:4 section[count]                   section: tag:4 flags:4 offset:4 size:4
                tag 1: array of string offsets, the glibc-hwcaps names that hwcap indexes

Words are in the byte order of the machine it is for. In the old format offsets count from the end of
its entries, in the new one from the new header, in extensions from the start of the file.
Entries are sorted by `_dl_cache_libcmp` for binary search; in a file that is not sorted the search fails
to find what ld.so's fails to find.

Limits: counts are checked against the size of the file before use; a path ends at MAX_PATH bytes. A lookup
takes a logarithmic number of comparisons, then at most MAX_SAME entries of one name (real caches have
one for each machine and each glibc-hwcaps name); names longer than MAX_NAME are not looked up.
MAX_LISTED entries are listed; the cache of a whole desktop has some 3,000.
"""

from __future__ import annotations

import struct
from _operator import ne  # not operator, whose Python module takes 0.6 ms to import
from itertools import compress

from denizen.errors import BadInput
from denizen.machines import CACHE_FLAGS_OTHER
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.bytesio import Buffer

OLD_MAGIC = b"ld.so-1.7.0"
NEW_MAGIC = b"glibc-ld.so.cache1.1"
OLD_HEADER, OLD_ENTRY = 16, 12
NEW_HEADER, NEW_ENTRY = 48, 24
EXTENSION_MAGIC = 0xEAA42174
TAG_HWCAPS = 1
# On machines without flags of their own, entries of plain ELF without a libc's mark are accepted too:
# sysdeps/generic/dl-cache.h _dl_cache_check_flags.
CACHE_FLAGS_PLAIN = 1
MAX_NAME = 255
MAX_PATH = 4096
MAX_SAME = 256
MAX_LISTED = 8_192
MAX_HWCAPS = 1024

# The flags byte of the new header: the byte order it was written in; 0 in files of older versions.
ENDIAN_MASK, ENDIAN_LITTLE, ENDIAN_BIG = 3, 2, 3

_DIGITS = frozenset(b"0123456789")

HWCAP_EXTENSION = 1 << 30
HWCAP_ISA_LEVEL = (1 << 10) - 1
PLATFORM_BITS = 0xF << 48
TLS_BIT = 1 << 63
# sysdeps/x86/dl-procinfo.c: the bits of a legacy entry's hwcap word.
LEGACY_BITS = {b"sse2": 1 << 0, b"x86_64": 1 << 1, b"avx512_1": 1 << 2}
LEGACY_PLATFORMS = {b"i586": 1 << 48, b"i686": 1 << 49, b"haswell": 1 << 50, b"xeon_phi": 1 << 51}


class BadCache(BadInput):
    """The file is no ld.so.cache that this machine's ld.so would use; ld.so then works without a cache."""

    problem: str
    offset: int = 0
    WHAT = "ld.so.cache cannot be used"
    WHY = "{problem:text}"


class CacheEntry(Value):
    """One entry of the cache: library `name` is at `path`, for ELF files of the kind `flags`."""

    name: bytes
    path: bytes
    flags: int
    hwcap: int = 0
    os_version: int = 0
    hwcaps: bytes | None = None


class CacheQuery(Value):
    """The properties of a lookup that select among several entries of one name.

    Attributes:
        flags: the flags word of this kind of file (denizen.machines).
        named: glibc-hwcaps names that may be used, best first.
        level: x86-64 level, for entries that state one.
        legacy: hwcap bits and platform bit that may be used; None: entries with such bits are skipped
            (2.37 and later).
        kernel: release that entries are compared with; None: not checked (2.36 and later).
    """

    flags: int
    named: tuple[bytes, ...] = ()
    level: int = 1
    legacy: int | None = 0
    kernel: tuple[int, int, int] | None = None


class Cache:
    """An opened cache, of which only the header has been read."""

    def __init__(self, data: bytes, order: str) -> None:
        self._data = data
        self._order = order
        self._base, self._first, self._count, self._size = _locate(data, order)
        self._entry = struct.Struct(order + ("IIIIQ" if self._size == NEW_ENTRY else "III"))
        self._key = struct.Struct(order + "I")
        self._hwcaps: tuple[bytes, ...] | None = None
        # Keys read so far: every binary search begins with the same ones.
        self._keys: dict[int, bytes | None] = {}

    def __len__(self) -> int:
        return self._count

    def lookup(self, name: bytes, wanted: CacheQuery) -> bytes | None:
        """Return the path ld.so would take from the cache for `name`, or None."""
        at = self._find(name) if len(name) <= MAX_NAME else None
        return None if at is None else self._choose(name, at, wanted)

    def entries(self) -> Iterator[CacheEntry]:
        """Yield the first MAX_LISTED entries whose strings are inside the file, in file order."""
        for number in range(min(self._count, MAX_LISTED)):
            flags, key, path, os_version, hwcap = self._fields(number)
            if self._inside(key) and self._inside(path):
                named = self._hwcaps_name(hwcap)
                yield CacheEntry(self._string(key), self._string(path), flags, hwcap, os_version, named)

    def _find(self, name: bytes) -> int | None:
        """Return the first entry of the run named `name`, by binary search as search_cache does."""
        left, right = 0, self._count - 1
        while left <= right:
            middle = (left + right) // 2
            key = self._key_at(middle)
            if key is None:
                return None
            order = compare(name, key)
            if order == 0:
                return self._start_of_run(name, middle)
            if order < 0:
                left = middle + 1
            else:
                right = middle - 1
        return None

    def _start_of_run(self, name: bytes, at: int) -> int:
        first = max(0, at - MAX_SAME)
        while at > first:
            key = self._key_at(at - 1)
            if key is None or compare(name, key):
                break
            at -= 1
        return at

    def _choose(self, name: bytes, first: int, wanted: CacheQuery) -> bytes | None:
        """Return the path of the best of the entries of one name (search_cache's inner loop)."""
        best: bytes | None = None
        best_rank = 0
        for number in range(first, min(first + MAX_SAME, self._count)):
            flags, key, path, os_version, hwcap = self._fields(number)
            if number > first and (not self._inside(key) or compare(name, self._string(key))):
                break
            if not _flags_fit(flags, wanted.flags) or not self._inside(path):
                continue
            named = self._is_named(hwcap)
            if not named and best is not None and self._size == NEW_ENTRY:
                break
            rank = self._rank(hwcap, wanted) if named else 0
            if named and (rank == 0 or (best is not None and rank >= best_rank)):
                continue
            if not named and not _legacy_fits(hwcap, os_version, wanted):
                continue
            best, best_rank = self._string(path), rank
            if not named and flags == wanted.flags:
                break
        return best

    def _rank(self, hwcap: int, wanted: CacheQuery) -> int:
        """Return the place of a glibc-hwcaps entry among the names in use, from 1.

        0 if it may not be used.
        """
        if hwcap >> 32 & HWCAP_ISA_LEVEL >= wanted.level:
            return 0
        named = self._hwcaps_name(hwcap)
        return wanted.named.index(named) + 1 if named in wanted.named else 0

    def _is_named(self, hwcap: int) -> bool:
        return self._size == NEW_ENTRY and (hwcap >> 32) & ~HWCAP_ISA_LEVEL == HWCAP_EXTENSION

    def _hwcaps_name(self, hwcap: int) -> bytes | None:
        if not self._is_named(hwcap):
            return None
        if self._hwcaps is None:
            self._hwcaps = self._read_hwcaps()
        index = hwcap & 0xFFFFFFFF
        return self._hwcaps[index] if index < len(self._hwcaps) else None

    def _read_hwcaps(self) -> tuple[bytes, ...]:
        """Return the glibc-hwcaps names.

        () if any part of the extensions is damaged (cache_extension_load).
        """
        word = struct.Struct(self._order + "I")
        start = int(word.unpack_from(self._data, self._base + 32)[0])
        size = len(self._data)
        if start == 0 or start % 4 or start + 8 > size:
            return ()
        magic, count = struct.unpack_from(self._order + "II", self._data, start)
        if magic != EXTENSION_MAGIC or start + 8 + 16 * count > size:
            return ()
        names: tuple[bytes, ...] = ()
        for number in range(min(count, MAX_HWCAPS)):
            tag, _, offset, length = struct.unpack_from(
                self._order + "IIII", self._data, start + 8 + 16 * number
            )
            if offset + length > size:
                return ()
            if tag == TAG_HWCAPS and length % 4 == 0 and offset % 4 == 0:
                count = min(length // 4, MAX_HWCAPS)
                offsets = struct.unpack_from(f"{self._order}{count}I", self._data, offset)
                names = tuple(self._string(at) if self._inside(at) else b"" for at in offsets)
        return names

    def _fields(self, number: int) -> tuple[int, int, int, int, int]:
        found = self._entry.unpack_from(self._data, self._first + number * self._size)
        return found if self._size == NEW_ENTRY else (*found, 0, 0)

    def _key_at(self, number: int) -> bytes | None:
        if number in self._keys:
            return self._keys[number]
        (at,) = self._key.unpack_from(self._data, self._first + number * self._size + 4)
        key = self._keys[number] = self._string(at) if self._inside(at) else None
        return key

    def _inside(self, offset: int) -> bool:
        return self._base + offset < len(self._data)

    def _string(self, offset: int) -> bytes:
        start = self._base + offset
        end = self._data.find(b"\0", start, start + MAX_PATH)
        return self._data[start : end if end >= 0 else start + MAX_PATH]


def open_cache(buffer: Buffer, *, little: bool = True) -> Cache:
    """Return the cache in `buffer`, for a machine of that byte order.

    Raises:
        BadCache: ld.so would not use it.
    """
    return Cache(bytes(buffer), "<" if little else ">")


def legacy_bits(platform: bytes | None, capabilities: tuple[bytes, ...]) -> int:
    """Return the hwcap bits of legacy entries that a processor with these names may use."""
    bits = LEGACY_PLATFORMS.get(platform or b"", 0)
    for name in capabilities:
        bits |= LEGACY_BITS.get(name, 0)
    return bits


def compare(first: bytes, second: bytes) -> int:
    """Return the order of two names by _dl_cache_libcmp: negative, 0 or positive.

    Bytes compare by value, runs of digits by number, a run of digits after any other byte. So libx.so.10 is
    above libx.so.9, and libx.so.01 is the same name as libx.so.1.
    """
    if first == second:
        return 0
    first, second = first + b"\0", second + b"\0"
    at = next(compress(range(len(first)), map(ne, first, second)))
    left, right = first[at], second[at]
    if left not in _DIGITS and right not in _DIGITS and (not at or first[at - 1] not in _DIGITS):
        return _signed(left) - _signed(right)
    while at and first[at - 1] in _DIGITS:
        at -= 1
    return _compare_rest(first, second, at)


def _compare_rest(first: bytes, second: bytes, start: int) -> int:
    left = right = start
    while first[left]:
        digits = first[left] in _DIGITS, second[right] in _DIGITS
        if digits == (True, True):
            number, left = _number(first, left)
            other, right = _number(second, right)
            if number != other:
                return number - other
        elif digits != (False, False):
            return 1 if digits[0] else -1
        elif first[left] != second[right]:
            break
        else:
            left, right = left + 1, right + 1
    return _signed(first[left]) - _signed(second[right])


def _number(name: bytes, at: int) -> tuple[int, int]:
    """Return the number at a position and the position behind it.

    C overflows there; here digits beyond 18 are ignored.
    """
    end = at
    while name[end] in _DIGITS:
        end += 1
    return int(name[at : min(end, at + 18)]), end


def _signed(byte: int) -> int:
    """Return the byte as a signed char, which plain `char` is on x86."""
    return byte - 256 if byte > 127 else byte


def _locate(data: bytes, order: str) -> tuple[int, int, int, int]:
    """Return (base of string offsets, first entry, number of entries, size of one). Raises BadCache."""
    if data.startswith(NEW_MAGIC) and len(data) > NEW_HEADER:
        return _locate_new(data, 0, order)
    if not data.startswith(OLD_MAGIC) or len(data) <= OLD_HEADER:
        raise BadCache("it begins with neither of the two signatures")
    (count,) = struct.unpack_from(order + "I", data, 12)
    end = OLD_HEADER + count * OLD_ENTRY
    if end > len(data):
        raise BadCache(f"{count} entries do not fit into {len(data)} bytes", 12)
    new = (end + 7) & ~7
    if data.startswith(NEW_MAGIC, new) and new + NEW_HEADER <= len(data):
        return _locate_new(data, new, order)
    return end, OLD_HEADER, count, OLD_ENTRY


def _locate_new(data: bytes, base: int, order: str) -> tuple[int, int, int, int]:
    (count,) = struct.unpack_from(order + "I", data, base + 20)
    flags = data[base + 28]
    wanted = ENDIAN_LITTLE if order == "<" else ENDIAN_BIG
    if flags and flags & ENDIAN_MASK != wanted:
        raise BadCache("it was written for the other byte order", base + 28)
    if base + NEW_HEADER + count * NEW_ENTRY > len(data):
        raise BadCache(f"{count} entries do not fit into {len(data)} bytes", base + 20)
    return base, base + NEW_HEADER, count, NEW_ENTRY


def _flags_fit(flags: int, wanted: int) -> bool:
    return flags == wanted or (flags == CACHE_FLAGS_PLAIN and wanted == CACHE_FLAGS_OTHER)


def _legacy_fits(hwcap: int, os_version: int, wanted: CacheQuery) -> bool:
    if wanted.kernel is not None:
        major, minor, patch = wanted.kernel
        if os_version > major << 16 | minor << 8 | min(patch, 255):
            return False
    if wanted.legacy is None:
        return hwcap == 0
    platform = hwcap & PLATFORM_BITS
    return not hwcap & ~(wanted.legacy | PLATFORM_BITS | TLS_BIT) and platform in (
        0,
        wanted.legacy & PLATFORM_BITS,
    )
