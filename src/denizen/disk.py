"""Files of this machine: atomic writing, opening what is a file only, directories, and links."""

from __future__ import annotations

import errno
import os
import posixpath

from denizen.file_content import regular_facts

# What a system call fails with when the disk or the quota is full, and when it is not permitted.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
# What flock(2) answers where a file system has no locks, as some over the network.
LOCKLESS = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS})
DENIED = frozenset({errno.EACCES, errno.EPERM})
# The mode of files that no other user needs to read.
PRIVATE = 0o600

# Open files that any decision can be made with.
_MANY = 1024
# Bytes in a unit of st_blocks, whatever the file system's own block is (stat(2)).
ST_BLOCK = 512
# A file from this size on, in bytes, of which less than one part in so many is data, is a hole.
_HOLLOW_FROM, _HOLLOW_PARTS = 1 << 30, 256
# Stretches of data that are counted; a file with more of them is no hole.
_STRETCHES = 4096
# How names end that `temporary_name` gives; a killed process leaves what has one.
TEMPORARY_SUFFIX = b".tmp"
# Make a file that is not there yet, not even as a link.
OPEN_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


def more_files() -> str:
    """Return how to get more open files than this process may have, in words."""
    import resource

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard >= _MANY:
        return f"ulimit -n {hard}"
    return f"start it once from where the limit of open files is not {hard}; that decision holds here too"


class naming:  # noqa: N801  # as `looking_at` of disk_view.py
    """A context that sets the file name of an OSError that has none: write(2) and fsync(2) take a number."""

    def __init__(self, path: bytes) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, problem: BaseException | None, _trace: object) -> None:
        if isinstance(problem, OSError) and problem.filename is None:
            problem.filename = self._path


def temporary_name(path: bytes) -> bytes:
    """Return the path beside `path` of a file, link or directory that becomes it, or of what it was.

    No process has had the name before. By its number it would: processes of two containers that share a
    directory have the same ones, and what a killed process leaves is in the way of one that gets its number.
    """
    parent, name = posixpath.split(path.rstrip(b"/"))
    unlike = os.urandom(8).hex().encode("ascii")
    # A file's own name may be as long as names can be (255 bytes).
    return posixpath.join(parent, b".%b.%b%b" % (name[:200], unlike, TEMPORARY_SUFFIX))


def write_atomically(path: bytes | str, content: bytes, *, mode: int = 0o644) -> None:
    """Put `content` at `path` complete or not at all, and durable once this returns.

    It is written beside its place under a temporary name, synced, renamed, and the directory is synced.
    Raises OSError about `path`; the temporary file is removed then.
    """
    target = os.fsencode(path)
    parent = posixpath.dirname(target) or b"."
    temporary = temporary_name(target)
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
        regular_facts(descriptor, path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def refuse_hollow(descriptor: int, path: bytes | str) -> None:
    """Raise OSError if an open file, which is to be read to its end, is a hole of 1 GiB or more.

    A file of a terabyte takes a moment to make (`truncate`), and hours to read or copy.
    """
    facts = os.fstat(descriptor)
    if facts.st_size < _HOLLOW_FROM or facts.st_blocks * ST_BLOCK * _HOLLOW_PARTS > facts.st_size:
        return
    data = _data_in(descriptor, facts.st_size)
    if data * _HOLLOW_PARTS < facts.st_size:
        words = f"of its {facts.st_size:,} bytes all but {data:,} are a hole"
        raise OSError(errno.EFBIG, words, path)


def _data_in(descriptor: int, size: int) -> int:
    """Return the number of bytes of an open file that are no hole (lseek(2)); `size` where nobody knows."""
    data = end = 0
    try:
        for _ in range(_STRETCHES):
            start = os.lseek(descriptor, end, os.SEEK_DATA)
            end = os.lseek(descriptor, start, os.SEEK_HOLE)
            data += end - start
    except OSError as problem:
        return data if problem.errno == errno.ENXIO else size
    else:
        return size
    finally:
        os.lseek(descriptor, 0, os.SEEK_SET)


def content_or_empty(path: str, limit: int) -> bytes:
    """Return at most `limit` bytes of a file; b"" where there is none. Raises OSError as `open_regular`."""
    try:
        with open(path, "rb", opener=open_regular) as stream:
            return stream.read(limit)
    except FileNotFoundError:
        return b""


def same_content(path: bytes, other: bytes) -> bool:
    """Return whether two files have the same bytes; a file that is not there is like none. Raises OSError."""
    import filecmp  # few compare files

    try:
        return filecmp.cmp(path, other, shallow=False)
    except FileNotFoundError:
        return False


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
    temporary = temporary_name(link)
    os.symlink(target, temporary)
    try:
        os.rename(temporary, link)
    except BaseException:
        _unlink_if_there(temporary)
        raise


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
