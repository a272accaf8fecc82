"""The words in which a file tree travels: one entry after the other (pure).

A NAR, an unpacked .deb, a directory on disk and a planned union are all streams of these entries,
so that whatever writes trees (the store, a NAR) is written once. An entry names its place by a
path relative to the tree's top; the top itself is b"". Paths hold no empty, `.` or `..` component, and a
directory comes before what is in it. Producers guarantee this; what they promise beyond (order in a
NAR, hard links in an archive) they say.
"""

from __future__ import annotations

from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from denizen.bytesio import Buffer

# What the kernel can be given in one name and one path (linux/limits.h). A tree that exceeds them
# could not be written out, so readers refuse it before anything is.
MAX_NAME = 255
MAX_PATH = 4095
MAX_TARGET = 4095


@value
class Directory:
    """A directory; what is in it follows."""

    path: bytes


@value
class File:
    """A regular file.

    Attributes:
        size: how many bytes `content` gives in all.
        content: the bytes, in pieces that are not changed afterwards. To be gone through once and
            before the next entry is asked for: they are read from a stream as they come.
    """

    path: bytes
    executable: bool
    size: int
    content: Iterable[Buffer]


@value
class Symlink:
    """A symbolic link with the target as written: not resolved, not empty, without NUL."""

    path: bytes
    target: bytes


@value
class HardLink:
    """A second name of a `File` that came earlier. Only archives have these; a NAR does not."""

    path: bytes
    existing: bytes


# Plain assignments: typing, which TypeAlias would import, costs 13 ms.
Entry = Directory | File | Symlink
ArchiveEntry = Directory | File | Symlink | HardLink


def is_name(name: bytes) -> bool:
    """Whether `name` can stand for one entry of a directory, and for that entry only."""
    return 0 < len(name) <= MAX_NAME and name not in (b".", b"..") and b"/" not in name and b"\0" not in name


def is_target(target: bytes) -> bool:
    """Whether the kernel would accept `target` in a symbolic link."""
    return 0 < len(target) <= MAX_TARGET and b"\0" not in target
