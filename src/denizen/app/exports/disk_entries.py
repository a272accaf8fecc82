"""Trees on disk as entries whose content is read when it is asked for, and as often."""

from __future__ import annotations

import contextlib
import os
import stat

from denizen.app.relocate.tree_directories import TreeDirectories
from denizen.disk import open_regular, refuse_hollow
from denizen.formats.file_tree import Directory, File, Symlink
from denizen.formats.stream import BLOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.formats.file_tree import Entry


class DiskContent:
    """The content of a file, read anew at each iteration.

    `top`: the user's tree that it is in. No link is followed below that, which could have come meanwhile.
    """

    __slots__ = ("_top", "path")

    def __init__(self, path: bytes, top: bytes = b"") -> None:
        self.path = path
        self._top = top

    def __iter__(self) -> Iterator[bytes]:
        with contextlib.ExitStack() as held:
            opener = held.enter_context(TreeDirectories(self._top)).open if self._top else open_regular
            stream = held.enter_context(open(self.path, "rb", buffering=0, opener=opener))
            refuse_hollow(stream.fileno(), self.path)
            while piece := stream.read(BLOCK):
                yield piece


def disk_file(inside: bytes, path: bytes, *, program: bool = False, top: bytes = b"") -> File:
    """Return the entry at `inside` for a file on disk; `program` makes it executable in any case."""
    facts = os.stat(path)
    executable = program or bool(facts.st_mode & stat.S_IXUSR)
    return File(inside, executable=executable, size=facts.st_size, content=DiskContent(path, top))


def disk_entries(tree: bytes, inside: bytes = b"", top: bytes = b"") -> Iterator[Entry]:
    """Yield files, links and directories of a tree, directories first, sorted; `inside` is the top's path.

    Sockets, pipes and devices are left out. `top`: as of DiskContent.
    """
    with os.scandir(tree) as found:
        items = sorted(found, key=lambda one: one.name)
    for item in items:
        path = os.path.join(inside, item.name)
        if item.is_symlink():
            yield Symlink(path, os.readlink(item.path))
        elif item.is_dir():
            yield Directory(path)
            yield from disk_entries(item.path, path, top)
        elif item.is_file():
            yield disk_file(path, item.path, top=top)


def same_content(one: File, other: File) -> bool:
    """Tell whether two files have the same bytes."""
    # Composed trees are hard links to the files of packages.
    paths = [each.content.path for each in (one, other) if isinstance(each.content, DiskContent)]
    if len(paths) == 2 and os.path.samefile(*paths):
        return True
    return one.size == other.size and b"".join(map(bytes, one.content)) == b"".join(map(bytes, other.content))
