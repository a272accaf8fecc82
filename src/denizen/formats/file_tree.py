"""The entries of a file tree: Directory, File, Symlink, HardLink (pure).

A NAR, an unpacked .deb, a directory on disk and a planned union are all streams of these entries,
so that the consumers of trees (the store, a NAR) are written once. An entry's path is relative to the
tree's top; the top itself is b"". Paths have no empty, `.` or `..` component, and a directory comes before
its content. Producers guarantee this, and document further guarantees (order in a NAR, hard links in an
archive).
"""

from __future__ import annotations

from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from denizen.bytesio import Buffer

# The kernel's limits in bytes of a path and of a link's target (linux/limits.h); entry_name.py has a name's.
# A tree that exceeds them could not be written to disk, so readers refuse it.
MAX_PATH = 4095
MAX_TARGET = 4095


class Directory(Value):
    """A directory; its content follows."""

    path: bytes


class File(Value):
    """A regular file.

    Attributes:
        path: its path in the tree.
        executable: it has the execute bit.
        size: the number of bytes in `content`.
        content: the bytes, in pieces that are not changed afterwards. They must be read once, and
            before the next entry is asked for, as they may come from a stream.
    """

    path: bytes
    executable: bool
    size: int
    content: Iterable[Buffer]


class Symlink(Value):
    """A symbolic link with the target as written: not resolved, not empty, without NUL."""

    path: bytes
    target: bytes


class HardLink(Value):
    """A second name of an earlier `File`. Only archives have these; a NAR does not."""

    path: bytes
    existing: bytes


# Plain assignments: typing, which TypeAlias would import, costs 13 ms.
Entry = Directory | File | Symlink
ArchiveEntry = Directory | File | Symlink | HardLink


def is_target(target: bytes) -> bool:
    """Return whether the kernel would accept `target` in a symbolic link."""
    return 0 < len(target) <= MAX_TARGET and b"\0" not in target
