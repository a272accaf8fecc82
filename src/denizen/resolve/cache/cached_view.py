"""A FileView that reads and parses each file once (pure over a FileView).

A resolution asks for the same closures again and again: with nothing chosen, with more chosen, with another C
library. Without this cache a program of 60 libraries causes 300 reads and as many parses of its version and
symbol tables. One library also has as many spellings as run paths lead to it: PySide's 448 objects had 2,165.
"""

from __future__ import annotations

from denizen import elf
from denizen.fileview import ForwardingView

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from denizen.bytesio import Buffer
    from denizen.elf import Image
    from denizen.fileview import FileView, Stat

    T = TypeVar("T")


class ParsedFile(ForwardingView):
    """A view of which one file was read and parsed before; it keeps no other, and no descriptor for one."""

    def __init__(self, view: FileView, path: bytes, stat: Stat, image: Image) -> None:
        """Give the image's bytes for `path`, as long as `view` shows the file with these facts there."""
        self._view = view
        self._path = path
        self._stat = stat
        self._image = image

    def parse(self, buffer: Buffer) -> Image:
        """Return the image of a file; the known one for its own bytes. Raises BadInput."""
        return self._image if buffer is self._image.buffer else elf.read(buffer)

    def read(self, path: bytes) -> Buffer:
        is_known = path == self._path and self._view.stat(path) == self._stat
        return self._image.buffer if is_known else self._view.read(path)


def parser_of(view: FileView) -> Callable[[Buffer], Image]:
    """Return what parses the files of a view: its own parser, if it knows images already."""
    return view.parse if isinstance(view, ParsedFile | CachedView) else elf.read


class CachedView:
    """A view whose answers do not change after the first."""

    def __init__(self, view: FileView) -> None:
        self._view = view
        self._buffers: dict[bytes, Buffer | OSError] = {}
        self._files: dict[tuple[int, int], Buffer] = {}
        self._stats: dict[bytes, Stat | OSError] = {}
        self._real: dict[bytes, bytes | OSError] = {}
        self._names: dict[bytes, tuple[bytes, ...] | OSError] = {}
        # By identity, for a buffer of 100 MB is not to be hashed; each is kept, so no other gets its number.
        self._images: dict[int, tuple[Buffer, Image]] = {}
        self._parse = parser_of(view)

    def parse(self, buffer: Buffer) -> Image:
        """Return the ELF image of a file, the same object for the same buffer. Raises BadInput."""
        known = self._images.get(id(buffer))
        if known is None:
            known = self._images[id(buffer)] = buffer, self._parse(buffer)
        return known[1]

    def image(self, path: bytes) -> Image:
        """Return the ELF image of the file at a path. Raises OSError, BadInput."""
        return self.parse(self.read(path))

    def read(self, path: bytes) -> Buffer:
        """Return the content of a file. Raises OSError."""
        return _remember(self._buffers, path, self._read)

    def _read(self, path: bytes) -> Buffer:
        facts = self.stat(path)
        identity = facts.device, facts.inode
        known = self._files.get(identity)
        if known is None:
            known = self._files[identity] = self._view.read(path)
        return known

    def stat(self, path: bytes) -> Stat:
        """Return the status of a file, links followed. Raises OSError."""
        return _remember(self._stats, path, self._view.stat)

    def realpath(self, path: bytes) -> bytes:
        """Return the path with all links resolved. Raises OSError."""
        return _remember(self._real, path, self._view.realpath)

    def listdir(self, path: bytes) -> tuple[bytes, ...]:
        """Return the names in a directory. Raises OSError."""
        return _remember(self._names, path, self._view.listdir)

    def lstat(self, path: bytes) -> Stat:
        return self._view.lstat(path)

    def readlink(self, path: bytes) -> bytes:
        return self._view.readlink(path)


def _remember(known: dict[bytes, T | OSError], path: bytes, ask: Callable[[bytes], T]) -> T:
    """Return the first answer to `ask(path)`, or raise its OSError again."""
    answer = known.get(path)
    if answer is None:
        try:
            answer = known[path] = ask(path)
        except OSError as problem:
            answer = known[path] = OSError(problem.errno, problem.strerror, path)
    if isinstance(answer, OSError):
        raise answer
    return answer
