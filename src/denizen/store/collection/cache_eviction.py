"""Eviction from caches: delete entries that have not been used for long.

For directories of which every entry can be made again: fetched packages, and data computed from them. An
entry's time of last use is the latest atime or mtime of the entry and of the files directly in it; most
file systems update the atime on the first read of a day (mount(8), relatime).
"""

from __future__ import annotations

import contextlib
import os

from denizen.disk import ST_BLOCK, TEMPORARY_SUFFIX
from denizen.store.collection.remove import remove_tree
from denizen.store.errors import doing
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# An entry is renamed to this before it is unlinked, so that no reader sees a partly deleted one.
_GOING = b"new-going-%b"


class TrimmedEntries(Value):
    """The number of entries not used for long, and the bytes of disk they take."""

    count: int
    size: int


def trim(directories: Iterable[bytes], used_before: int, *, keep: bool) -> TrimmedEntries:
    """Delete the entries of these directories last used before `used_before`, in seconds since 1970.

    With `keep` they are only counted. One of the directories may lie in another.

    Raises:
        DiskFailed: something could not be read or unlinked.
    """
    count = size = 0
    directories = tuple(directories)
    for directory in directories:
        with doing("let go of what is old in", directory):
            for name in _old(directory, used_before):
                if directory + b"/" + name in directories:
                    continue
                count += 1
                size += size_on_disk(directory + b"/" + name) if keep else _remove(directory, name)
    return TrimmedEntries(count, size)


def _old(directory: bytes, used_before: int) -> list[bytes]:
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return []
    # Other names that begin with a dot are lock files and the like.
    shown = [name for name in names if not name.startswith(b".") or name.endswith(TEMPORARY_SUFFIX)]
    return sorted([name for name in shown if _used(directory + b"/" + name) < used_before])


def _used(place: bytes) -> float:
    """Return the entry's time of last use in seconds since 1970; infinity if it is gone."""
    try:
        facts = os.lstat(place)
        inside = []
        if os.path.isdir(place) and not os.path.islink(place):
            inside = [entry.stat(follow_symlinks=False) for entry in os.scandir(place)]
    except FileNotFoundError:
        return float("inf")
    # A directory's own atime is ignored where files are in it: cleaning up and listing change that too.
    times = [one.st_atime for one in inside] or [facts.st_atime]
    return max(facts.st_mtime, *times, *[one.st_mtime for one in inside])


def _remove(directory: bytes, name: bytes) -> int:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        going = _GOING % os.urandom(8).hex().encode("ascii")
        with contextlib.suppress(FileNotFoundError):
            os.rename(name, going, src_dir_fd=descriptor, dst_dir_fd=descriptor)
        return remove_tree(descriptor, going)
    finally:
        os.close(descriptor)


def size_on_disk(place: bytes) -> int:
    """Return the bytes that a file or a tree takes on the disk; 0 for what is gone."""
    total = 0
    with contextlib.suppress(FileNotFoundError):
        total = os.lstat(place).st_blocks * ST_BLOCK
        for top, directories, files in os.walk(place):
            for name in (*directories, *files):
                total += os.lstat(os.path.join(top, name)).st_blocks * ST_BLOCK
    return total
