"""The `FileView` protocol, by which the pure layers read files, and a view in memory (pure).

The linker model, the index and the planners never open a file themselves; they are given a view.
`disk_view.DiskView` shows the real file system, `disk_view.RootedView` another root directory as `/`, and
`MemoryView` a tree made of values, for tests and for trees that do not exist yet.

Paths are bytes, absolute, and may hold any byte but NUL. Failures are `OSError` with the errno the
kernel would give (ENOENT, ENOTDIR, EACCES, ELOOP, EISDIR), because the dynamic linker's rules are
defined in terms of errno.
"""

from __future__ import annotations

import errno
import posixpath

from denizen.value import Enum, Value

# The top directories that are links into /usr on a merged system (Debian's usrmerge), sorted.
USR_MERGED = (b"bin", b"lib", b"lib32", b"lib64", b"libo32", b"libx32", b"sbin")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Protocol, TypeAlias

    from denizen.bytesio import Buffer
else:
    Protocol = object

# Linux follows at most this many symbolic links in one lookup (path_resolution(7)).
MAX_LINKS = 40
# Longest path with its NUL, and longest name in it (limits.h).
PATH_MAX = 4096
NAME_MAX = 255


class FileKind(Enum):
    """The kinds of directory entries."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"
    OTHER = "other"


class Stat(Value):
    """The metadata of one file that denizen's rules use; (device, inode) is its identity."""

    kind: FileKind
    mode: int
    size: int
    device: int
    inode: int
    uid: int = 0
    gid: int = 0
    mtime_ns: int = 0
    ctime_ns: int = 0


class FileView(Protocol):
    """A read-only view of a file tree."""

    def stat(self, path: bytes) -> Stat:
        """Return the metadata of the file `path` leads to, links followed. Raises OSError."""

    def lstat(self, path: bytes) -> Stat:
        """Return the metadata of `path` itself, its last link not followed. Raises OSError."""

    def readlink(self, path: bytes) -> bytes:
        """Return the target of a symbolic link, as written. Raises OSError (EINVAL: not a link)."""

    def realpath(self, path: bytes) -> bytes:
        """Return `path` with every link resolved, within the view's root. Raises OSError."""

    def listdir(self, path: bytes) -> tuple[bytes, ...]:
        """Return the names in a directory, sorted, without `.` and `..`. Raises OSError."""

    def read(self, path: bytes) -> Buffer:
        """Return the whole content of a regular file (mapped where that is cheaper). Raises OSError."""


class ForwardingView:
    """A view that answers as another does; a subclass answers some questions itself."""

    _view: FileView

    def stat(self, path: bytes) -> Stat:
        return self._view.stat(path)

    def lstat(self, path: bytes) -> Stat:
        return self._view.lstat(path)

    def readlink(self, path: bytes) -> bytes:
        return self._view.readlink(path)

    def realpath(self, path: bytes) -> bytes:
        return self._view.realpath(path)

    def listdir(self, path: bytes) -> tuple[bytes, ...]:
        return self._view.listdir(path)

    def read(self, path: bytes) -> Buffer:
        return self._view.read(path)


class ViewLink(Value):
    """A symbolic link in a `MemoryView`."""

    target: bytes


class Executable(Value):
    """A file in a `MemoryView` with its execute bits set."""

    content: bytes


if TYPE_CHECKING:
    Entry: TypeAlias = bytes | Executable | ViewLink


class MemoryView:
    """A file tree made of values: `{b"/lib/libc.so.6": b"...", b"/lib64": ViewLink(b"lib")}`.

    Parent directories are implied; an empty directory is written with a trailing slash
    (`{b"/tmp/": b""}`).
    """

    def __init__(self, entries: Mapping[bytes, Entry]) -> None:
        self._entries: dict[bytes, Entry | None] = {b"/": None}
        for name, entry in entries.items():
            path = posixpath.normpath(name)
            self._entries[path] = None if name.endswith(b"/") else entry
            while (path := posixpath.dirname(path)) not in self._entries:
                self._entries[path] = None
        self._inodes = {path: number for number, path in enumerate(self._entries, start=1)}

    def stat(self, path: bytes) -> Stat:
        return self._facts(self.realpath(path))

    def lstat(self, path: bytes) -> Stat:
        return self._facts(self._resolve(path, last=False))

    def readlink(self, path: bytes) -> bytes:
        entry = self._entries[self._resolve(path, last=False)]
        if not isinstance(entry, ViewLink):
            raise _failure(errno.EINVAL, path)
        return entry.target

    def realpath(self, path: bytes) -> bytes:
        return self._resolve(path, last=True)

    def listdir(self, path: bytes) -> tuple[bytes, ...]:
        real = self.realpath(path)
        if self._entries[real] is not None:
            raise _failure(errno.ENOTDIR, path)
        prefix = real.rstrip(b"/") + b"/"
        return tuple(
            sorted(
                p[len(prefix) :]
                for p in self._entries
                if p.startswith(prefix) and p != b"/" and b"/" not in p[len(prefix) :]
            )
        )

    def read(self, path: bytes) -> Buffer:
        entry = self._entries[self.realpath(path)]
        if entry is None:
            raise _failure(errno.EISDIR, path)
        return entry.content if isinstance(entry, Executable) else _content(entry, path)

    def _facts(self, real: bytes) -> Stat:
        entry = self._entries[real]
        number = self._inodes[real]
        match entry:
            case None:
                return Stat(FileKind.DIRECTORY, 0o40755, 0, 1, number)
            case ViewLink(target):
                return Stat(FileKind.SYMLINK, 0o120777, len(target), 1, number)
            case Executable(content):
                return Stat(FileKind.FILE, 0o100755, len(content), 1, number)
            case _:
                return Stat(FileKind.FILE, 0o100644, len(entry), 1, number)

    def _resolve(self, path: bytes, *, last: bool) -> bytes:
        return resolve(path, self._look, last=last)

    def _look(self, path: bytes) -> tuple[FileKind, bytes]:
        if path not in self._entries:
            raise _failure(errno.ENOENT, path)
        match self._entries[path]:
            case None:
                return FileKind.DIRECTORY, b""
            case ViewLink(target):
                return FileKind.SYMLINK, target
            case _:
                return FileKind.FILE, b""


def exists(view: FileView, path: bytes) -> bool:
    """Tell whether a path leads to something in `view`; where that cannot be seen, it does not."""
    try:
        view.stat(path)
    except OSError:
        return False
    return True


def is_absent(view: FileView, path: bytes) -> bool:
    """Tell whether nothing is at a path, not even a link; where that cannot be seen, something is."""
    try:
        view.lstat(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


def resolve(path: bytes, look: Callable[[bytes], tuple[FileKind, bytes]], *, last: bool) -> bytes:
    """Return an absolute path with its links resolved as the kernel does (path_resolution(7)), below a root.

    `look` returns the kind of an already resolved path, and a link's target; it raises OSError. `last`:
    follow a link in the last component too.

    Raises:
        OSError: ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, or what `look` raises.
        ValueError: a NUL in the path, as Python's own functions raise.
    """
    if b"\0" in path:
        raise ValueError("embedded null byte")
    if len(path) >= PATH_MAX:
        raise _failure(errno.ENAMETOOLONG, path)
    pending = _components(path)
    here, is_directory, links = b"/", True, 0
    while pending:
        component = pending.pop()
        if not is_directory:
            raise _failure(errno.ENOTDIR, path)
        if component in (b".", b".."):
            here = posixpath.dirname(here) if component == b".." else here
            continue
        if len(component) > NAME_MAX:
            raise _failure(errno.ENAMETOOLONG, path)
        there = posixpath.join(here, component)
        kind, target = look(there)
        if kind is not FileKind.SYMLINK or not (pending or last):
            here, is_directory = there, kind is FileKind.DIRECTORY
            continue
        links += 1
        if links > MAX_LINKS:
            raise _failure(errno.ELOOP, path)
        pending += _components(target)
        here = b"/" if target.startswith(b"/") else here
    return here


def _components(path: bytes) -> list[bytes]:
    """Return the components, last first. A slash at the end requires a directory, as a final `.` does."""
    components = [component for component in path.split(b"/") if component]
    if path.endswith(b"/"):
        components.append(b".")
    return components[::-1]


def _content(entry: Entry, path: bytes) -> bytes:
    if not isinstance(entry, bytes):
        raise _failure(errno.ELOOP, path)
    return entry


def _failure(code: int, path: bytes) -> OSError:
    return OSError(code, errno.errorcode[code], path)
