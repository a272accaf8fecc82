"""The real file system as a `FileView`, whole or below another root; and atomic writing of files."""

from __future__ import annotations

import errno
import os
import posixpath
import stat as stat_module

from denizen.errors import HostLacks, display
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


class NotReplaced(HostLacks):
    """The error that a file is to be written where a device is, which root would take from everybody."""

    path: bytes
    WHAT = "{path} is not replaced by a file"
    WHY = "it is a device, a pipe or a socket, or a link of the kernel's to an open file"
    REMEDY = "give the name of a file"


class NoDirectoryForOutput(HostLacks):
    """The error that there is no directory for a file that is to be written."""

    path: bytes
    directory: bytes
    WHAT = "{path} cannot be written"
    WHY = "there is no directory {directory}"

    @property
    def remedy(self) -> str:
        import shlex

        return f"mkdir -p {shlex.quote(display(self.directory))}"


class OutputNotPermitted(HostLacks):
    """The error that the directory of a file that is to be written takes no new files of this user's.

    A file is written beside its place first, so a permission to write to the file alone does not do.
    """

    path: bytes
    directory: bytes
    reason: str
    WHAT = "{path} cannot be written"
    WHY = "no file can be made in {directory}: {reason:text}"
    REMEDY = "name a file in a directory of your own"


class IsDirectory(HostLacks):
    """The error that a file is to be written where a directory is."""

    path: bytes
    WHAT = "{path} cannot be written"
    WHY = "it is a directory"
    REMEDY = "give the name of a file"


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


def check_output_file(path: bytes) -> None:
    """Raise an error if no file can be put at a place that the user named, before what it is for takes time.

    A link to a file is replaced by the file that is written, never followed.

    Raises:
        NotReplaced: there is what is no file, such as /dev/null or /dev/stdout.
        IsDirectory: there is a directory.
        NoDirectoryForOutput, OutputNotPermitted: as `check_output_directory`.
    """
    # First: /dev/null is no file to replace, whether or not this user may write to /dev.
    _check_replaceable(path)
    check_output_directory(path)


def _check_replaceable(path: bytes) -> None:
    """Raise NotReplaced or IsDirectory if what is at a path is no file, nor a link to one."""
    try:
        mode = os.stat(path).st_mode
        link = os.readlink(path) if stat_module.S_ISLNK(os.lstat(path).st_mode) else b""
    except OSError:
        return  # absent, or reported when it is written
    if link.startswith(b"/proc/") or os.path.realpath(path).startswith(b"/proc/"):
        raise NotReplaced(path)
    if stat_module.S_ISDIR(mode) and not link:
        raise IsDirectory(path)
    if not stat_module.S_ISREG(mode) and not stat_module.S_ISDIR(mode):
        raise NotReplaced(path)


def check_output_directory(path: bytes) -> None:
    """Raise NoDirectoryForOutput or OutputNotPermitted if nothing can be made beside a path."""
    directory = os.path.dirname(path.rstrip(b"/")) or b"."
    if not os.path.isdir(directory):
        raise NoDirectoryForOutput(path, directory)
    if not os.access(directory, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        read_only = os.statvfs(directory).f_flag & os.ST_RDONLY
        raise OutputNotPermitted(path, directory, os.strerror(errno.EROFS if read_only else errno.EACCES))


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
