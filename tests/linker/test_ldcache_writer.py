"""Written caches: ld.so's search by halves finds every name in them, ldconfig prints them."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.linker.ldcache import CacheEntry, CacheQuery, open_cache
from denizen.linker.ldcache_writer import write_cache
from tests.support.peers import require

X86_64 = CacheQuery(0x303, (b"x86-64-v3", b"x86-64-v2"), level=3, legacy=None)
NAMES = st.from_regex(rb"\Alib[a-c]{1,3}[0-9]{0,2}\.so(\.[0-9]{1,3})?\Z")


def entry(name: bytes, path: bytes = b"", flags: int = 0x303, hwcaps: bytes | None = None) -> CacheEntry:
    return CacheEntry(name, path or b"/lib/" + name, flags, hwcaps=hwcaps)


@given(st.sets(NAMES, min_size=1), st.booleans())
def test_every_name_is_found_in_whatever_order_they_came(names: set[bytes], little: bool) -> None:  # noqa: FBT001  # a Hypothesis argument
    cache = open_cache(write_cache([entry(name) for name in names], little=little), little=little)
    assert len(cache) == len(names)
    for name in names:
        found = cache.lookup(name, X86_64)
        # libx.so.01 and libx.so.1 are one name to ld.so.
        assert found is not None
    assert cache.lookup(b"libnone.so", X86_64) is None


def test_kinds_of_one_name_stay_apart_and_the_processors_own_comes_first() -> None:
    name = b"libx.so.1"
    data = write_cache(
        [
            entry(name, b"/plain"),
            entry(name, b"/i386", flags=0x803),
            entry(name, b"/v2", hwcaps=b"x86-64-v2"),
            entry(name, b"/v3", hwcaps=b"x86-64-v3"),
        ]
    )
    cache = open_cache(data)
    assert cache.lookup(name, X86_64) == b"/v3"
    assert cache.lookup(name, CacheQuery(0x303, (b"x86-64-v2",), level=2, legacy=None)) == b"/v2"
    assert cache.lookup(name, CacheQuery(0x303, (), legacy=None)) == b"/plain"
    assert cache.lookup(name, CacheQuery(0x803, (), legacy=None)) == b"/i386"


def test_what_was_read_is_written_again() -> None:
    rows = [entry(b"liba.so.2"), entry(b"libb.so", hwcaps=b"x86-64-v2"), entry(b"libb.so")]
    read = list(open_cache(write_cache(rows)).entries())
    assert list(open_cache(write_cache(read)).entries()) == read


@pytest.mark.peer
def test_this_machines_cache_written_anew_is_the_same_to_ldconfig(tmp_path: Path) -> None:
    require("ldconfig")
    host = Path("/etc/ld.so.cache").read_bytes()
    again = tmp_path / "cache"
    again.write_bytes(write_cache(list(open_cache(host).entries())))
    assert printed(again) == printed(Path("/etc/ld.so.cache"))


def printed(cache: Path) -> list[str]:
    done = subprocess.run(
        ["ldconfig", "-p", "-C", cache], capture_output=True, text=True, check=True, env={"PATH": "/sbin"}
    )
    return [line for line in done.stdout.splitlines() if line.startswith("\t")]
