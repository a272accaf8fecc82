"""Libraries that belong to the host's kernel drivers, made visible to an environment's dynamic linker (pure).

The libraries that talk to NVIDIA's kernel module must have the module's exact version: no package has them,
only the host. The host's ld.so.cache entries for such libraries are added to the environment's ld.so.cache,
with the paths that the files have inside. So ld.so, `ldconfig -p` and programs that read the cache (Steam's
runtime) find them, without an LD_LIBRARY_PATH. [[host]] in resolve/rules.toml lists these libraries.
"""

from __future__ import annotations

from denizen.fhs.host_etc import HOST
from denizen.linker.ldcache import BadCache, CacheEntry, open_cache
from denizen.linker.ldcache_writer import write_cache
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

SHARE = b"/.denizen/share"
# Directories of the drivers' manifests: JSON files that name a library, whose path ld.so.cache has
# (on the host, below SHARE): Vulkan-Loader's LoaderDriverInterface.md, libglvnd's icd_enumeration.md.
MANIFESTS = (
    (b"/usr/share/vulkan/icd.d", b"vulkan/icd.d"),
    (b"/etc/vulkan/icd.d", b"vulkan/icd.d"),
    (b"/usr/share/glvnd/egl_vendor.d", b"glvnd/egl_vendor.d"),
    (b"/etc/glvnd/egl_vendor.d", b"glvnd/egl_vendor.d"),
)


def drivers(
    cache: bytes, is_driver: Callable[[bytes], bool], inside: Callable[[bytes], bytes]
) -> tuple[CacheEntry, ...]:
    """Return the driver libraries in a host's ld.so.cache, with the paths that they have inside.

    Args:
        cache: the cache file's bytes; a damaged cache counts as empty.
        is_driver: tells whether a soname is a driver's.
        inside: returns the path inside of a path of the host.
    """
    try:
        listed = open_cache(cache).entries()
    except BadCache:
        return ()
    return tuple(replace(one, path=inside(one.path)) for one in listed if is_driver(one.name))


def listed(
    names: Sequence[bytes], directory: bytes, flags: int, is_driver: Callable[[bytes], bool]
) -> tuple[CacheEntry, ...]:
    """Return the driver libraries among the `names` in a directory that has the same path inside.

    `flags` are the cache flags of the host's kind of library (denizen.machines).
    """
    return tuple(CacheEntry(name, b"%b/%b" % (directory, name), flags) for name in names if is_driver(name))


def manifests(names: Iterable[bytes]) -> tuple[bytes, ...]:
    """Return the manifests of NVIDIA's driver among the names of a directory of MANIFESTS, sorted.

    A manifest names the driver in its file name (nvidia_icd.json, 10_nvidia.json); those of Mesa's drivers
    are the environment's own.
    """
    return tuple(sorted([name for name in names if name.endswith(b".json") and b"nvidia" in name]))


def joined(cache: bytes, found: Sequence[CacheEntry]) -> bytes:
    """Return an environment's ld.so.cache with these entries in place of its own of the same names.

    Raises BadCache.
    """
    names = {one.name for one in found}
    own = [one for one in open_cache(cache).entries() if one.name not in names]
    return write_cache([*own, *found])


def seen(path: bytes) -> bytes:
    """Return the path inside an environment of a real path of the host (no link among its directories)."""
    hidden = path.startswith((b"/usr/", b"/etc/")) and not path.startswith(b"/usr/local/")
    return HOST + path if hidden else path
