"""The host's driver libraries in an environment's ld.so.cache."""

from denizen.fhs.driver_libraries import drivers, joined, listed, manifests, seen
from denizen.linker.ldcache import CacheQuery, open_cache
from denizen.resolve.rule_packs import load_rules
from tests.support.ldcache_files import CacheEntry, new_cache

X86_64 = CacheQuery(0x303)
HOST = new_cache(
    [
        CacheEntry(b"libnvidia-glcore.so.1", b"/usr/lib/g.so"),
        CacheEntry(b"libcuda.so.1", b"/usr/lib/cuda.so"),
        CacheEntry(b"libc.so.6", b"/usr/lib/libc.so.6"),
    ]
)
TREE = new_cache(
    [CacheEntry(b"libcuda.so.1", b"/lib/packaged.so"), CacheEntry(b"libc.so.6", b"/lib/libc.so.6")]
)


def is_driver(soname: bytes) -> bool:
    return bool(load_rules().host_reason(soname))


def test_only_what_belongs_to_a_kernel_driver_is_the_hosts() -> None:
    found = drivers(HOST, is_driver, seen)
    assert {one.name for one in found} == {b"libcuda.so.1", b"libnvidia-glcore.so.1"}
    assert {one.path for one in found} == {b"/.denizen/host/usr/lib/cuda.so", b"/.denizen/host/usr/lib/g.so"}


def test_a_cache_that_cannot_be_read_has_none() -> None:
    assert drivers(b"", is_driver, seen) == drivers(b"ld.so-1.7.0", is_driver, seen) == ()


def test_the_hosts_come_instead_of_packages_and_everything_else_stays() -> None:
    cache = open_cache(joined(TREE, drivers(HOST, is_driver, seen)))
    assert cache.lookup(b"libcuda.so.1", X86_64) == b"/.denizen/host/usr/lib/cuda.so"
    assert cache.lookup(b"libnvidia-glcore.so.1", X86_64) == b"/.denizen/host/usr/lib/g.so"
    assert cache.lookup(b"libc.so.6", X86_64) == b"/lib/libc.so.6"
    assert len(cache) == 3


def test_a_directory_of_drivers_is_taken_as_it_is() -> None:
    found = listed([b"libcuda.so.1", b"libGL.so.1"], b"/run/opengl-driver/lib", 0x303, is_driver)
    assert [one.path for one in found] == [b"/run/opengl-driver/lib/libcuda.so.1"]


def test_of_the_drivers_manifests_only_nvidias_are_the_hosts() -> None:
    names = [b"nvidia_icd.json", b"intel_icd.x86_64.json", b"50_mesa.json", b"10_nvidia.json", b"nvidia.txt"]
    assert manifests(names) == (b"10_nvidia.json", b"nvidia_icd.json")


def test_what_an_environment_hides_is_seen_elsewhere() -> None:
    assert seen(b"/usr/lib/x.so") == b"/.denizen/host/usr/lib/x.so"
    assert seen(b"/opt/nvidia/x.so") == b"/opt/nvidia/x.so"
    assert seen(b"/usr/local/lib/x.so") == b"/usr/local/lib/x.so"
