"""The content of an open file, mapped or read; apart from `disk`, whose import `find` does not need."""

from __future__ import annotations

import errno
import os
import stat as stat_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    import mmap

# Bytes. Below this size read() costs less than mmap(). Above it, pages of new memory are filled that nobody
# looks at: a program's 60 libraries are all in memory at once, 22 of them between the two sizes tried, 32 and
# 128 KiB, which made 300 page faults and 2 % of `why --host`. A library of 100 MB of which 1 % is needed must
# not be read whole.
MAP_FROM = 32 * 1024
# Descriptors that mapped files leave to others: Python's mmap keeps one for each. Locks, the store's database
# and a download take 20.
SPARE_DESCRIPTORS = 32


def whole(descriptor: int, size: int, map_from: int = MAP_FROM) -> bytes | mmap.mmap:
    """Return the content of an open file of `size` bytes, mapped if it is large and descriptors are left.

    `map_from`: the size from which it is mapped. Raises OSError.
    """
    if size >= map_from and descriptor < os.sysconf("SC_OPEN_MAX") - SPARE_DESCRIPTORS:
        import mmap  # 0.2 ms that small files do not pay

        return mmap.mmap(descriptor, size, prot=mmap.PROT_READ)
    return _read_all(descriptor, size)


def _read_all(descriptor: int, size: int) -> bytes:
    """Read to the end, because files in /proc state a size of 0."""
    content = os.read(descriptor, size)
    if size and len(content) == size:
        return content
    while more := os.read(descriptor, MAP_FROM):
        content += more
    return content


def regular_facts(descriptor: int, path: bytes | str) -> os.stat_result:
    """Return the facts of an open file. Raises OSError for what is none."""
    facts = os.fstat(descriptor)
    if stat_module.S_ISREG(facts.st_mode):
        return facts
    if stat_module.S_ISDIR(facts.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    raise OSError(errno.EINVAL, "it is a device, a pipe or a socket, not a file", path)
