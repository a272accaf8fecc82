"""ld.so.cache files built in memory."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class CacheEntry:
    """One library; `flags` are x86-64's."""

    name: bytes
    path: bytes
    flags: int = 0x303
    hwcap: int = 0
    os_version: int = 0


def new_cache(
    entries: Sequence[CacheEntry],
    *,
    hwcaps: Sequence[bytes] = (),
    order: str = "<",
    endian: int | None = None,
) -> bytes:
    """Return a cache in the format of 2.2 and later; entries stay in the order given."""
    strings = _Strings(48 + 24 * len(entries))
    rows = b"".join(
        struct.pack(order + "IIIIQ", e.flags, strings.add(e.name), strings.add(e.path), e.os_version, e.hwcap)
        for e in entries
    )
    named = [strings.add(name) for name in hwcaps]
    strings.align()
    at = strings.end if hwcaps else 0
    flags = (2 if order == "<" else 3) if endian is None else endian
    header = b"glibc-ld.so.cache1.1" + struct.pack(
        order + "IIB3xI12x", len(entries), len(strings.data), flags, at
    )
    extension = b""
    if hwcaps:
        extension = struct.pack(order + "IIIIII", 0xEAA42174, 1, 1, 0, at + 24, 4 * len(named))
        extension += struct.pack(f"{order}{len(named)}I", *named)
    return header + rows + strings.data + extension


def old_cache(entries: Sequence[CacheEntry], *, order: str = "<", then: bytes = b"") -> bytes:
    """Return a cache in the format of libc5 and glibc 2.0; `then` is a new one behind it."""
    strings = _Strings(0)
    rows = b"".join(
        struct.pack(order + "III", e.flags, strings.add(e.name), strings.add(e.path)) for e in entries
    )
    head = b"ld.so-1.7.0\0" + struct.pack(order + "I", len(entries)) + rows
    if not then:
        return head + strings.data
    return head.ljust((len(head) + 7) & ~7, b"\0") + then


class _Strings:
    def __init__(self, start: int) -> None:
        self._start = start
        self._known: dict[bytes, int] = {}
        self.data = b""

    @property
    def end(self) -> int:
        return self._start + len(self.data)

    def add(self, text: bytes) -> int:
        if text not in self._known:
            self._known[text] = self.end
            self.data += text + b"\0"
        return self._known[text]

    def align(self) -> None:
        self.data += bytes(-self.end % 4)
