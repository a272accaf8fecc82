"""The NAR serialisation of a tree on disk, written into large buffers.

It produces the same bytes as `nar.writer.write(tree_reader.entries(path))`, which a test checks. It exists
for speed: a record, a generator step and a copy for each of 50,000 files cost more than hashing their
content. Here a file is read directly into its place in the buffer. Measured over 50,000 files, 860 MB:
0.6 s against 1.15, where reading the files alone takes 0.45.
"""

from __future__ import annotations

import mmap
import os
import stat

from denizen.nar import codec
from denizen.store.trees.tree_reader import (
    OPEN_DIRECTORY,
    OpenDirectory,
    TreeChanged,
    checked,
    names_in,
    not_storable,
    open_file,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# Size in bytes; two buffers, one being filled and one being hashed, fit a second-level cache of 2 MiB.
BUFFER = 1024 * 1024

_FILE_END = tuple(codec.padding(size) + codec.CLOSE for size in range(8))
# Pending tokens are copied to the buffer at this size, in bytes, where no file follows (many links).
_TOKENS = 64 * 1024


def fresh_buffer() -> memoryview:
    """Return a buffer for `dump`. A bytearray would be filled with zeros first, which takes 0.5 ms."""
    return memoryview(mmap.mmap(-1, BUFFER))


def dump(path: bytes, hand_over: Callable[[memoryview], memoryview], first: memoryview) -> None:
    """Serialise the tree at `path` as a NAR, and pass it to `hand_over` about a megabyte at a time.

    `first` is the buffer to fill first, of BUFFER bytes; `hand_over` is given the filled part of a buffer and
    returns the one to fill next, which may be the same.

    Raises:
        OSError: something cannot be read.
        NotStorable: a socket, FIFO or device.
        TooDeep: a path longer than archives allow.
        TreeChanged: a file's size changed while it was read.
    """
    parent = os.open(os.path.dirname(path) or b".", os.O_PATH | os.O_CLOEXEC)
    try:
        _Dump(path, hand_over, first).run(parent, os.path.basename(path))
    finally:
        os.close(parent)


class _Dump:
    """The state of one serialisation: the walk, and the buffer being filled."""

    def __init__(self, path: bytes, hand_over: Callable[[memoryview], memoryview], first: memoryview) -> None:
        self._path = path
        self._hand_over = hand_over
        self._buffer = first
        self._filled = 0
        # Tokens not yet in the buffer: copied there together with the next file's header.
        self._pending = codec.MAGIC

    def run(self, parent: int, name: bytes) -> None:
        kind = stat.S_IFMT(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
        if kind == stat.S_IFDIR:
            self._directory(os.open(name, OPEN_DIRECTORY, dir_fd=parent))
        else:
            self._leaf(parent, name, kind, self._path)
        self._put(self._pending)
        self._hand_over(self._buffer[: self._filled])

    def _directory(self, top: int) -> None:
        """Serialise the directory open as `top`, which is closed at the end."""
        frames = [OpenDirectory(top, b"", names_in(top))]
        self._pending += codec.DIRECTORY_NODE
        try:
            while frames:
                frame = frames[-1]
                if not frame.left:
                    os.close(frames.pop().descriptor)
                    self._pending += codec.END if frames else codec.CLOSE
                    continue
                name, kind = frame.left.pop()
                inside = checked(frame.inside, name, len(frames))
                self._begin(name)
                if kind != stat.S_IFDIR:
                    self._leaf(frame.descriptor, name, kind, b"%b/%b" % (self._path, inside))
                    self._pending += codec.CLOSE
                    continue
                self._pending += codec.DIRECTORY_NODE
                child = os.open(name, OPEN_DIRECTORY, dir_fd=frame.descriptor)
                frames.append(OpenDirectory(child, inside, names_in(child)))
        finally:
            for frame in frames:
                os.close(frame.descriptor)

    def _begin(self, name: bytes) -> None:
        """Append the tokens that begin a directory entry."""
        size = len(name)
        length, padding = codec.pack_length(size), codec.PADDING[size & 7]
        self._pending = b"%b%b%b%b%b%b" % (self._pending, codec.NAMED, length, name, padding, codec.NODE)
        if len(self._pending) > _TOKENS:
            self._put(self._pending)
            self._pending = b""

    def _leaf(self, parent: int, name: bytes, kind: int, shown: bytes) -> None:
        """Serialise a file or link, whose path in messages is `shown`."""
        if kind == stat.S_IFLNK:
            target = codec.string(os.readlink(name, dir_fd=parent))
            self._pending = b"%b%b%b%b" % (self._pending, codec.SYMLINK_NODE, target, codec.CLOSE)
            return
        descriptor = open_file(parent, name, shown)
        try:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode):
                raise not_storable(shown, facts.st_mode)
            size = facts.st_size
            tokens = codec.EXECUTABLE_NODE if facts.st_mode & stat.S_IXUSR else codec.FILE_NODE
            self._put(b"%b%b%b" % (self._pending, tokens, codec.pack_length(size)))
            self._content(descriptor, size, shown)
            self._pending = _FILE_END[size & 7]
        finally:
            os.close(descriptor)

    def _put(self, tokens: bytes) -> None:
        end = self._filled + len(tokens)
        if end > BUFFER:
            self._flush()
            end = len(tokens)
        self._buffer[self._filled : end] = tokens
        self._filled = end
        self._flush_if_full()

    def _content(self, descriptor: int, size: int, shown: bytes) -> None:
        left = size
        while left:
            end = min(self._filled + left, BUFFER)
            count = os.readv(descriptor, (self._buffer[self._filled : end],))
            if not count:
                raise TreeChanged(shown)
            self._filled += count
            left -= count
            self._flush_if_full()

    def _flush_if_full(self) -> None:
        """Keep room for a byte: readv(2) into an empty buffer returns 0, as for a file that has shrunk."""
        if self._filled == BUFFER:
            self._flush()

    def _flush(self) -> None:
        self._buffer = self._hand_over(self._buffer[: self._filled])
        self._filled = 0
