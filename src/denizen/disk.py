"""The real file system as a `FileView`, whole or below another root; and atomic writing of files."""

from __future__ import annotations

import errno
import os
import posixpath
import stat as stat_module

from denizen.errors import HostLacks
from denizen.file_content import MAP_FROM, whole
from denizen.fileview import FileKind, Stat, resolve

# What a system call fails with when the disk or the quota is full, and when it is not permitted.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
# What flock(2) answers where a file system has no locks, as some over the network.
LOCKLESS = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS})
DENIED = frozenset({errno.EACCES, errno.EPERM})
# The mode of files that no other user needs to read.
PRIVATE = 0o600

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.bytesio import Buffer

# Limits of this process; they tell nothing about the file.
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
# Open files that any decision can be made with.
_MANY = 1024
# Bytes in a unit of st_blocks, whatever the file system's own block is (stat(2)).
ST_BLOCK = 512
# Make a file that is not there yet, not even as a link.
OPEN_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW

_KINDS = {
    stat_module.S_IFREG: FileKind.FILE,
    stat_module.S_IFDIR: FileKind.DIRECTORY,
    stat_module.S_IFLNK: FileKind.SYMLINK,
}


class NotLookedAt(HostLacks):
    """The error that a file could not be examined because the process is out of descriptors or memory.

    Such a file must not be taken for a missing one.
    """

    path: bytes
    code: int
    WHAT = "cannot look at {path}"

    @property
    def why(self) -> str:
        return os.strerror(self.code)

    @property
    def remedy(self) -> str:
        return "ulimit -v unlimited" if self.code == errno.ENOMEM else more_files()


def more_files() -> str:
    """Return how to get more open files than this process may have, in words."""
    import resource

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard >= _MANY:
        return f"ulimit -n {hard}"
    return f"start it once from where the limit of open files is not {hard}; that decision holds here too"


class DiskView:
    """A view of this machine's files.

    NotLookedAt is raised in place of an OSError that tells of this process's limits. Files of `map_from`
    bytes are mapped, smaller ones read.
    """

    def __init__(self, map_from: int = MAP_FROM) -> None:
        self._map_from = map_from

    def stat(self, path: bytes) -> Stat:
        return _facts(os.stat(path))

    def lstat(self, path: bytes) -> Stat:
        return _facts(os.lstat(path))

    def readlink(self, path: bytes) -> bytes:
        return os.readlink(path)

    def realpath(self, path: bytes) -> bytes:
        # stat first, for the kernel's errors: os.path.realpath follows more than 40 links, and a file's `..`.
        os.stat(path)
        return os.path.realpath(path)

    def listdir(self, path: bytes) -> tuple[bytes, ...]:
        with looking_at(path):
            return tuple(sorted(os.listdir(path)))

    def read(self, path: bytes) -> Buffer:
        try:
            return self._read(path)
        except OSError as problem:  # as `looking_at`, for a third of its time
            if problem.errno in _EXHAUSTED:
                raise NotLookedAt(path, problem.errno) from problem
            raise

    def _read(self, path: bytes) -> Buffer:
        # O_NONBLOCK: opening a FIFO that someone named libfoo.so must not hang.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            return whole(descriptor, _regular(descriptor, path).st_size, self._map_from)
        finally:
            os.close(descriptor)


class RootedView:
    """A view of another directory as `/`: absolute links stay inside it, and `..` stops at its top."""

    def __init__(self, root: bytes) -> None:
        self._root = os.path.abspath(root).rstrip(b"/")
        self._disk = DiskView()

    def stat(self, path: bytes) -> Stat:
        return self._disk.lstat(self._outside(self._resolve(path, last=True)))

    def lstat(self, path: bytes) -> Stat:
        return self._disk.lstat(self._outside(self._resolve(path, last=False)))

    def readlink(self, path: bytes) -> bytes:
        return self._disk.readlink(self._outside(self._resolve(path, last=False)))

    def realpath(self, path: bytes) -> bytes:
        return self._resolve(path, last=True)

    def listdir(self, path: bytes) -> tuple[bytes, ...]:
        return self._disk.listdir(self._outside(self._resolve(path, last=True)))

    def read(self, path: bytes) -> Buffer:
        return self._disk.read(self._outside(self._resolve(path, last=True)))

    def _outside(self, inside: bytes) -> bytes:
        return self._root + inside if inside != b"/" else self._root or b"/"

    def _resolve(self, path: bytes, *, last: bool) -> bytes:
        return resolve(path, self._look, last=last)

    def _look(self, path: bytes) -> tuple[FileKind, bytes]:
        outside = self._outside(path)
        kind = _KINDS.get(stat_module.S_IFMT(os.lstat(outside).st_mode), FileKind.OTHER)
        return kind, os.readlink(outside) if kind is FileKind.SYMLINK else b""


class looking_at:  # noqa: N801  # as `naming`
    """A context that turns an OSError about this process's limits into NotLookedAt."""

    def __init__(self, path: bytes) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, problem: BaseException | None, _trace: object) -> None:
        if isinstance(problem, OSError) and problem.errno in _EXHAUSTED:
            raise NotLookedAt(self._path, problem.errno) from problem


class naming:  # noqa: N801  # read as a statement; contextlib is too dear at start-up
    """A context that sets the file name of an OSError that has none: write(2) and fsync(2) take a number."""

    def __init__(self, path: bytes) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, problem: BaseException | None, _trace: object) -> None:
        if isinstance(problem, OSError) and problem.filename is None:
            problem.filename = self._path


def write_atomically(path: bytes | str, content: bytes, *, mode: int = 0o644) -> None:
    """Put `content` at `path` complete or not at all, and durable once this returns.

    It is written beside its place under a temporary name, synced, renamed, and the directory is synced.
    Raises OSError about `path`; the temporary file is removed then.
    """
    target = os.fsencode(path)
    parent = posixpath.dirname(target) or b"."
    temporary = posixpath.join(parent, b".%s.%d.tmp" % (posixpath.basename(target)[:200], os.getpid()))
    try:
        descriptor = os.open(temporary, OPEN_NEW, mode)
        try:
            _fill(descriptor, content, mode)
            os.rename(temporary, target)
        except BaseException:
            _unlink_if_there(temporary)
            raise
    except OSError as problem:
        # Nobody named the temporary file, and it is gone.
        problem.filename, problem.filename2 = target, None
        raise
    sync_directory(parent)


def _fill(descriptor: int, content: bytes, mode: int) -> None:
    """Write a new file, durably, and close it. Raises OSError."""
    with open(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)


def written_by_owner(path: bytes | str, flags: int) -> int:
    """Open a file, as open()'s `opener`.

    A file it creates is writable by its owner only, whatever the umask.
    """
    return os.open(path, flags | os.O_CLOEXEC, 0o644)


def open_regular(path: bytes | str, flags: int, *, dir_fd: int | None = None) -> int:
    """Open a file, as open()'s `opener`; raise OSError if it is a directory, a device, a pipe or a socket.

    For files whose place others can write to: opening a pipe would wait for ever, and a device has no end.
    """
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=dir_fd)
    try:
        _regular(descriptor, path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def content_or_empty(path: str, limit: int) -> bytes:
    """Return at most `limit` bytes of a file; b"" where there is none. Raises OSError as `open_regular`."""
    try:
        with open(path, "rb", opener=open_regular) as stream:
            return stream.read(limit)
    except FileNotFoundError:
        return b""


def _regular(descriptor: int, path: bytes | str) -> os.stat_result:
    """Return the facts of an open file. Raises OSError for what is none."""
    facts = os.fstat(descriptor)
    if stat_module.S_ISREG(facts.st_mode):
        return facts
    if stat_module.S_ISDIR(facts.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    raise OSError(errno.EINVAL, "it is a device, a pipe or a socket, not a file", path)


def make_directories(path: bytes, mode: int = 0o755) -> None:
    """Create the directory `path` if it is absent, with exactly that mode whatever the umask.

    Missing parents get mode 0755. Raises OSError.
    """
    try:
        os.mkdir(path, mode)
    except FileNotFoundError:
        parent = posixpath.dirname(path) or b"."
        # In /proc nothing can be made, and this is what the kernel says of it.
        if os.path.isdir(parent):
            raise
        make_directories(parent)
        make_directories(path, mode)
        return
    except FileExistsError:
        if not os.path.isdir(path):
            raise
    else:
        os.chmod(path, mode)


def link_atomically(link: bytes, target: bytes) -> None:
    """Make the symbolic link `link` lead to `target`, replacing an older link atomically. Raises OSError."""
    temporary = b"%s.%d.tmp" % (link, os.getpid())
    _unlink_if_there(temporary)
    os.symlink(target, temporary)
    os.rename(temporary, link)


def sync_directory(path: bytes | str) -> None:
    """Make renames and creations inside the directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unlink_if_there(path: bytes) -> None:
    try:  # noqa: SIM105  # contextlib.suppress costs an import on every start-up path
        os.unlink(path)
    except FileNotFoundError:
        pass


def _facts(raw: os.stat_result) -> Stat:
    kind = _KINDS.get(stat_module.S_IFMT(raw.st_mode), FileKind.OTHER)
    owner, times = (raw.st_uid, raw.st_gid), (raw.st_mtime_ns, raw.st_ctime_ns)
    # Positional arguments: keywords would take 3 us more, and this is called for every library.
    return Stat(kind, raw.st_mode, raw.st_size, raw.st_dev, raw.st_ino, *owner, *times)
