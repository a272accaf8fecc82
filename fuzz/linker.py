"""ld.so.cache and ld.so.conf: what hostile bytes in another system's root could do to us."""

import struct
from collections.abc import Sequence

from denizen.fileview import MemoryView, ViewLink
from denizen.linker.ldcache import NEW_MAGIC, OLD_MAGIC, CacheQuery, open_cache
from denizen.linker.ldconf import read_configuration
from tests.support.ldcache_files import CacheEntry, new_cache, old_cache

NAMES = (b"libc.so.6", b"libz.so.1", b"libx.so.10", b"", b"a" * 255)
WANTED = (
    CacheQuery(0x303, (b"x86-64-v3", b"x86-64-v2"), level=3, legacy=None),
    CacheQuery(3, legacy=0b11, kernel=(5, 10, 0)),
)
CACHE_TOKENS = (
    OLD_MAGIC, NEW_MAGIC, b"libc.so.6\0", b"libx.so.010\0", struct.pack("<I", 0x303), b"\xff" * 4, b"\0" * 4,
    struct.pack("<I", 0xEAA42174), struct.pack("<Q", 1 << 62),
)  # fmt: skip
CONF_TOKENS = (
    b"include ", b"/etc/ld.so.conf.d/*.conf\n", b"*", b"?", b"[", b"]", b"[!", b"-", b"\\", b"\n", b"#",
    b"\0",     b"hwcap 0 x\n", b"=libc6", b"/", b"..", b"\t", b"/etc/loop/", b"*" * 50,
)  # fmt: skip


def look_everything_up(data: bytes) -> None:
    """Every entry, and lookups of all kinds. Raises BadInput."""
    cache = open_cache(data)
    for number, entry in enumerate(cache.entries()):
        if number % 1024 == 0 and len(entry.name) < 256:
            cache.lookup(entry.name, WANTED[0])
    for wanted in WANTED:
        for name in NAMES:
            cache.lookup(name, wanted)


def caches() -> Sequence[bytes]:
    entries = [CacheEntry(name, b"/lib/" + name) for name in NAMES[:3]]
    named = [CacheEntry(b"libz.so.1", b"/v%d" % n, hwcap=1 << 62 | n - 2) for n in (2, 3)]
    new = new_cache([*named, *entries], hwcaps=(b"x86-64-v2", b"x86-64-v3"))
    return (new, new_cache([]), old_cache(entries), old_cache(entries, then=new))


def large_caches() -> Sequence[bytes]:
    same = [CacheEntry(b"libx.so.%010d" % 10, b"/x")] * 30_000
    return (new_cache(same), new_cache([CacheEntry(b"a" * 255, b"/" * 4000)] * 30_000), old_cache(same))


def read_conf(data: bytes) -> None:
    """As /etc/ld.so.conf, and as a file that includes itself through links."""
    view = MemoryView(
        {
            b"/etc/ld.so.conf": data,
            b"/etc/ld.so.conf.d/a.conf": data,
            b"/etc/ld.so.conf.d/.hidden.conf": b"/hidden",
            b"/etc/loop": ViewLink(b"."),
        }
    )
    read_configuration(view)


def confs() -> Sequence[bytes]:
    return (
        b"include /etc/ld.so.conf.d/*.conf\n",
        b"# comment\n/usr/local/lib\n/opt/x=libc6\nhwcap 1 sse2\n",
        b"include ld.so.conf.d/[a-z].c?nf loop/loop/ld.so.conf\n/lib\t\n",
    )


def large_confs() -> Sequence[bytes]:
    return (
        b"\n" * 1_000_000,
        b"/a/b\n" * 200_000,
        b"include *\n" * 100_000,
        b"include /*/*/*/*/*/*/*/*/*/*\n" * 30_000,
        b"include loop/" + b"*a" * 400 + b"\n",
    )
