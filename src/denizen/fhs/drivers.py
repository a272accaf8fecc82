"""Libraries that belong to the host's kernel drivers, found by an environment's own dynamic linker (pure).

What NVIDIA's kernel module talks to must be of the module's exact version: no package can bring it, only the
host has it. The environment's ld.so.cache is joined by the host's entries for such libraries, at the paths by
which they are seen inside; so ld.so, `ldconfig -p` and those who read the cache (Steam's runtime) find them,
and no LD_LIBRARY_PATH is set. Which libraries these are is [[host]] in resolve/rules.toml.
"""

from __future__ import annotations

from denizen.linker.ldcache import BadCache, CacheEntry, open_cache
from denizen.linker.ldcachewriter import write_cache
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HOST = b"/.denizen/host"
SHARE = b"/.denizen/share"
# Where drivers say what they serve; the JSON names a library, the cache says where it is.
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
    """The driver libraries in a host's ld.so.cache, at the paths they have inside.

    Args:
        cache: the file; one that cannot be read has none.
        is_driver: whether a soname is a driver's.
        inside: where a path of the host is seen.
    """
    try:
        listed = open_cache(cache).entries()
    except BadCache:
        return ()
    return tuple(replace(one, path=inside(one.path)) for one in listed if is_driver(one.name))


def listed(
    names: Sequence[bytes], directory: bytes, flags: int, is_driver: Callable[[bytes], bool]
) -> tuple[CacheEntry, ...]:
    """The driver libraries among the names of a directory that is seen inside as it is.

    `flags` are those of the host's kind of library (denizen.machines).
    """
    return tuple(CacheEntry(name, b"%b/%b" % (directory, name), flags) for name in names if is_driver(name))


def joined(cache: bytes, found: Sequence[CacheEntry]) -> bytes:
    """An environment's ld.so.cache with these instead of its own of the same names. Raises BadCache."""
    names = {one.name for one in found}
    own = [one for one in open_cache(cache).entries() if one.name not in names]
    return write_cache([*own, *found])


def seen(path: bytes) -> bytes:
    """Where a real path of the host (no link among its directories) is inside an environment."""
    hidden = path.startswith((b"/usr/", b"/etc/")) and not path.startswith(b"/usr/local/")
    return HOST + path if hidden else path
