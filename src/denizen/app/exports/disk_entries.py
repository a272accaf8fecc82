"""Trees on disk as entries whose content is read when it is asked for, and as often."""

from __future__ import annotations

import os
import stat

from denizen.disk import open_regular
from denizen.formats.file_tree import Directory, File, Symlink
from denizen.formats.stream import BLOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.formats.file_tree import Entry


class DiskContent:
    """The content of a file, read anew at each iteration."""

    __slots__ = ("path",)

    def __init__(self, path: bytes) -> None:
        self.path = path

    def __iter__(self) -> Iterator[bytes]:
        with open(self.path, "rb", buffering=0, opener=open_regular) as stream:
            while piece := stream.read(BLOCK):
                yield piece


def disk_file(inside: bytes, path: bytes, *, program: bool = False) -> File:
    """Return the entry at `inside` for a file on disk; `program` makes it executable in any case."""
    facts = os.stat(path)
    executable = program or bool(facts.st_mode & stat.S_IXUSR)
    return File(inside, executable=executable, size=facts.st_size, content=DiskContent(path))


def disk_entries(tree: bytes, inside: bytes = b"") -> Iterator[Entry]:
    """Yield files, links and directories of a tree, directories first, sorted; `inside` is the top's path.

    Sockets, pipes and devices are left out.
    """
    with os.scandir(tree) as found:
        items = sorted(found, key=lambda one: one.name)
    for item in items:
        path = os.path.join(inside, item.name)
        if item.is_symlink():
            yield Symlink(path, os.readlink(item.path))
        elif item.is_dir():
            yield Directory(path)
            yield from disk_entries(item.path, path)
        elif item.is_file():
            yield disk_file(path, item.path)


def same_content(one: File, other: File) -> bool:
    """Tell whether two files have the same bytes."""
    # Composed trees are hard links to the files of packages.
    paths = [each.content.path for each in (one, other) if isinstance(each.content, DiskContent)]
    if len(paths) == 2 and os.path.samefile(*paths):
        return True
    return one.size == other.size and b"".join(map(bytes, one.content)) == b"".join(map(bytes, other.content))
