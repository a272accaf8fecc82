import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.linker.ldcache import BadCache, CacheQuery, compare, open_cache
from tests.support.ldcache_files import CacheEntry, new_cache, old_cache

X86_64 = CacheQuery(0x303, (b"x86-64-v3", b"x86-64-v2"), level=3, legacy=None)
LIBRARY = CacheEntry(b"libx.so.1", b"/lib/libx.so.1")
HWCAP = 1 << 62


def named(index: int, path: bytes, *, isa_level: int = 0) -> CacheEntry:
    return CacheEntry(b"libx.so.1", path, hwcap=HWCAP | isa_level << 32 | index)


@pytest.mark.parametrize(
    "data",
    [
        new_cache([LIBRARY]),
        old_cache([LIBRARY]),
        old_cache([CacheEntry(b"libx.so.1", b"/old")], then=new_cache([LIBRARY])),
        new_cache([LIBRARY], endian=0),
    ],
    ids=["new", "old", "combined", "new without byte order"],
)
def test_a_name_is_found_in_every_format(data: bytes) -> None:
    cache = open_cache(data)
    assert cache.lookup(b"libx.so.1", X86_64) == b"/lib/libx.so.1"
    assert cache.lookup(b"libx.so.2", X86_64) is None
    assert [entry.path for entry in cache.entries()] == [b"/lib/libx.so.1"]


def test_a_big_endian_cache_is_read_for_a_big_endian_machine() -> None:
    data = new_cache([LIBRARY], order=">")
    assert open_cache(data, little=False).lookup(b"libx.so.1", X86_64) == b"/lib/libx.so.1"
    with pytest.raises(BadCache, match="other byte order"):
        open_cache(new_cache([LIBRARY], endian=3))


def test_only_entries_for_this_kind_of_file_are_taken() -> None:
    cache = open_cache(new_cache([CacheEntry(b"libx.so.1", b"/lib32/libx.so.1", flags=3), LIBRARY]))
    assert cache.lookup(b"libx.so.1", X86_64) == b"/lib/libx.so.1"
    assert cache.lookup(b"libx.so.1", CacheQuery(3)) == b"/lib32/libx.so.1"
    assert cache.lookup(b"libx.so.1", CacheQuery(0xA03)) is None


def test_an_entry_of_plain_elf_gives_way_to_one_for_this_libc_in_the_old_format() -> None:
    plain, own = CacheEntry(b"libx.so.1", b"/plain", flags=1), CacheEntry(b"libx.so.1", b"/own", flags=3)
    assert open_cache(old_cache([plain, own])).lookup(b"libx.so.1", CacheQuery(3)) == b"/own"
    assert open_cache(old_cache([plain])).lookup(b"libx.so.1", CacheQuery(3)) == b"/plain"
    assert open_cache(old_cache([plain])).lookup(b"libx.so.1", X86_64) is None


def test_the_best_glibc_hwcaps_entry_wins_whatever_its_place() -> None:
    names = (b"x86-64-v2", b"x86-64-v3", b"x86-64-v4")
    data = new_cache([named(0, b"/v2"), named(2, b"/v4"), named(1, b"/v3"), LIBRARY], hwcaps=names)
    cache = open_cache(data)
    assert cache.lookup(b"libx.so.1", X86_64) == b"/v3"
    assert cache.lookup(b"libx.so.1", CacheQuery(0x303, (b"x86-64-v2",), level=2, legacy=None)) == b"/v2"
    assert cache.lookup(b"libx.so.1", CacheQuery(0x303, legacy=None)) == b"/lib/libx.so.1"
    assert [entry.hwcaps for entry in cache.entries()] == [*names[:1], names[2], names[1], None]


def test_an_entry_that_states_too_high_a_level_is_passed_over() -> None:
    data = new_cache([named(0, b"/v3", isa_level=3), LIBRARY], hwcaps=(b"x86-64-v3",))
    assert open_cache(data).lookup(b"libx.so.1", X86_64) == b"/lib/libx.so.1"


def test_a_legacy_hwcap_entry_needs_its_bits() -> None:
    haswell = CacheEntry(b"libx.so.1", b"/haswell", hwcap=1 << 50)
    cache = open_cache(new_cache([haswell, LIBRARY]))
    assert cache.lookup(b"libx.so.1", CacheQuery(0x303, legacy=1 << 50)) == b"/haswell"
    assert cache.lookup(b"libx.so.1", CacheQuery(0x303, legacy=0)) == b"/lib/libx.so.1"
    assert cache.lookup(b"libx.so.1", CacheQuery(0x303, legacy=None)) == b"/lib/libx.so.1"


def test_an_entry_for_a_newer_kernel_is_passed_over_where_that_is_checked() -> None:
    cache = open_cache(new_cache([CacheEntry(b"libx.so.1", b"/new", os_version=0x060000), LIBRARY]))
    assert cache.lookup(b"libx.so.1", CacheQuery(0x303, kernel=(5, 10, 0))) == b"/lib/libx.so.1"
    assert cache.lookup(b"libx.so.1", CacheQuery(0x303, kernel=(6, 1, 0))) == b"/new"


def test_damaged_extensions_void_the_hwcaps_entries_alone() -> None:
    data = bytearray(new_cache([named(0, b"/v2"), LIBRARY], hwcaps=(b"x86-64-v2",)))
    at = data.index(bytes.fromhex("7421a4ea"))
    data[at] ^= 1
    assert open_cache(bytes(data)).lookup(b"libx.so.1", X86_64) == b"/lib/libx.so.1"


@pytest.mark.parametrize(
    "data",
    [b"", b"glibc-ld.so.cache1.1", b"ld.so-1.7.0", b"\x7fELF" * 20, new_cache([LIBRARY])[:60]],
    ids=["empty", "signature alone", "old signature alone", "something else", "cut"],
)
def test_what_is_no_cache_is_refused(data: bytes) -> None:
    with pytest.raises(BadCache):
        open_cache(data)


def test_more_entries_than_bytes_are_refused() -> None:
    data = bytearray(new_cache([LIBRARY]))
    data[20:24] = b"\xff\xff\xff\xff"
    with pytest.raises(BadCache, match="do not fit"):
        open_cache(bytes(data))


def test_a_string_outside_the_file_ends_the_search_as_in_ld_so() -> None:
    data = bytearray(new_cache([LIBRARY]))
    data[52:56] = b"\xff\xff\xff\x7f"
    cache = open_cache(bytes(data))
    assert cache.lookup(b"libx.so.1", X86_64) is None
    assert list(cache.entries()) == []


@pytest.mark.parametrize(
    ("first", "second", "sign"),
    [
        (b"libx.so.10", b"libx.so.9", 1),
        (b"libx.so.1", b"libx.so.01", 0),
        (b"libx.so.1", b"libx.so.1", 0),
        (b"liba.so", b"libb.so", -1),
        (b"lib", b"liba", -1),
        (b"lib1", b"libz", 1),
        (b"libz", b"lib1", -1),
        (b"lib10a", b"lib10b", -1),
    ],
)
def test_names_compare_with_numbers_as_numbers(first: bytes, second: bytes, sign: int) -> None:
    order = compare(first, second)
    assert (order > 0) - (order < 0) == sign


@given(st.lists(st.text("ab1290.", min_size=1, max_size=8), min_size=1, max_size=30))
def test_every_name_of_a_sorted_cache_is_found(texts: list[str]) -> None:
    from functools import cmp_to_key

    names = sorted({text.encode() for text in texts}, key=cmp_to_key(compare), reverse=True)
    cache = open_cache(new_cache([CacheEntry(name, b"/" + name) for name in names]))
    for name in names:
        found = cache.lookup(name, X86_64)
        assert found is not None
        assert compare(found[1:], name) == 0


@pytest.mark.peer
def test_the_machines_own_cache_gives_every_library_ldconfig_prints() -> None:
    if not Path("/etc/ld.so.cache").exists():
        pytest.skip("no /etc/ld.so.cache here")
    cache = open_cache(Path("/etc/ld.so.cache").read_bytes())
    for entry in cache.entries():
        found = cache.lookup(entry.name, CacheQuery(entry.flags, legacy=None))
        assert found is not None
        assert os.path.basename(found) == os.path.basename(entry.name)
