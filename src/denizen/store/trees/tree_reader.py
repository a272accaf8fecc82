"""Read a tree on disk as the entries of its NAR.

One pass, in the order of a NAR. Symbolic links are never followed, at the top or below it. A tree deeper or
with longer paths than a NAR may hold is refused while it is read, and so are sockets, FIFOs and devices,
which a NAR cannot hold.
"""

from __future__ import annotations

import errno
import os
import stat

from denizen.errors import DenizenError, display
from denizen.formats.file_tree import MAX_PATH, Directory, File, Symlink
from denizen.formats.stream import BLOCK
from denizen.nar.codec import MAX_DEPTH
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.formats.file_tree import Entry

# O_NONBLOCK: opening a FIFO put in a file's place must not hang.
OPEN_FILE = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
OPEN_DIRECTORY = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_DIRECTORY
_WORDS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFCHR: "a character device",
    stat.S_IFBLK: "a block device",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a directory that was a file a moment ago",
}


class NotStorable(DenizenError):
    """A tree holds a file that no store object can hold."""

    path: bytes
    kind: str
    WHAT = "'{path}' cannot be stored"
    WHY = "it is {kind:text}; objects hold files, directories and symbolic links"


class TreeChanged(DenizenError):
    """A file's size changed while it was read."""

    path: bytes
    WHAT = "'{path}' changed while it was read"
    REMEDY = "run the command again once nothing writes to it"


class TooDeep(DenizenError):
    """A tree is deeper, or a path in it longer, than a NAR may hold."""

    path: bytes

    @property
    def what(self) -> str:
        return f"'{display(self.path[:80])}…' cannot be stored"

    @property
    def why(self) -> str:
        return f"paths in an object have at most {MAX_PATH} bytes and {MAX_DEPTH} directories"


class OpenDirectory(Value):
    """An open directory: its descriptor, its path inside the tree, and the names left, last first."""

    descriptor: int
    inside: bytes
    left: list[tuple[bytes, int]]


def entries(path: bytes) -> Iterator[Entry]:
    """Yield the entries of the tree at `path`, top first.

    A file's content must be read before the next entry.

    Raises:
        OSError: something cannot be read.
        NotStorable: a socket, FIFO or device.
        TooDeep: a path longer than archives allow.
        TreeChanged: a file's size changed while it was read.
    """
    parent = os.open(os.path.dirname(path) or b".", os.O_PATH | os.O_CLOEXEC)
    try:
        name = os.path.basename(path)
        mode = os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode
        if not stat.S_ISDIR(mode):
            yield from _leaf(parent, name, stat.S_IFMT(mode), b"", path)
            return
        top = os.open(name, OPEN_DIRECTORY, dir_fd=parent)
    finally:
        os.close(parent)
    yield Directory(b"")
    yield from _below(top, path)


def _below(top: int, shown: bytes) -> Iterator[Entry]:
    """Yield the entries below the directory open as `top`, which is closed at the end."""
    frames = [OpenDirectory(top, b"", names_in(top))]
    try:
        while frames:
            frame = frames[-1]
            if not frame.left:
                os.close(frames.pop().descriptor)
                continue
            name, kind = frame.left.pop()
            inside = checked(frame.inside, name, len(frames))
            if kind != stat.S_IFDIR:
                yield from _leaf(frame.descriptor, name, kind, inside, b"%b/%b" % (shown, inside))
                continue
            yield Directory(inside)
            descriptor = os.open(name, OPEN_DIRECTORY, dir_fd=frame.descriptor)
            frames.append(OpenDirectory(descriptor, inside, names_in(descriptor)))
    finally:
        for frame in frames:
            os.close(frame.descriptor)


def names_in(directory: int) -> list[tuple[bytes, int]]:
    """Return the (name, kind) pairs of a directory, greatest name first.

    The kind is S_IFLNK, S_IFDIR, or S_IFREG for everything else.
    """
    with os.scandir(directory) as scan:
        return sorted([(os.fsencode(entry.name), _kind(entry)) for entry in scan], reverse=True)


def _kind(entry: os.DirEntry[str]) -> int:
    if entry.is_symlink():
        return stat.S_IFLNK
    return stat.S_IFDIR if entry.is_dir(follow_symlinks=False) else stat.S_IFREG


def _leaf(parent: int, name: bytes, kind: int, inside: bytes, shown: bytes) -> Iterator[Entry]:
    """Yield one entry that is not a directory."""
    if kind == stat.S_IFLNK:
        yield Symlink(inside, os.readlink(name, dir_fd=parent))
        return
    descriptor = open_file(parent, name, shown)
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise not_storable(shown, facts.st_mode)
        executable = bool(facts.st_mode & stat.S_IXUSR)
        size = facts.st_size
        if size > BLOCK:
            yield File(inside, executable, size, _blocks(descriptor, size, shown))
        else:
            content = os.read(descriptor, size)
            if len(content) != size:  # a network or FUSE file system may give it in several pieces
                content += b"".join(_blocks(descriptor, size - len(content), shown))
            yield File(inside, executable, size, (content,))
    finally:
        os.close(descriptor)


def open_file(parent: int, name: bytes, shown: bytes) -> int:
    """Return a descriptor of the file `name`. Raises OSError and NotStorable."""
    try:
        return os.open(name, OPEN_FILE, dir_fd=parent)
    except OSError as error:
        if error.errno == errno.ENXIO:  # open(2) of a socket
            raise not_storable(shown, stat.S_IFSOCK) from None
        raise


def not_storable(shown: bytes, mode: int) -> NotStorable:
    """Return the error for a file that is no regular file, directory or link."""
    return NotStorable(shown, _WORDS.get(stat.S_IFMT(mode), "of an unknown kind"))


def checked(directory: bytes, name: bytes, depth: int) -> bytes:
    """Return the path of `name` inside the tree. Raises TooDeep."""
    inside = b"%b/%b" % (directory, name) if directory else name
    if len(inside) > MAX_PATH or depth >= MAX_DEPTH:
        raise TooDeep(inside)
    return inside


def _blocks(descriptor: int, size: int, shown: bytes) -> Iterator[bytes]:
    left = size
    while left:
        block = os.read(descriptor, min(left, BLOCK))
        if not block:
            raise TreeChanged(shown)
        left -= len(block)
        yield block
