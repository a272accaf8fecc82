"""The real file system as a `FileView`, whole or below another root."""

from __future__ import annotations

import errno
import os
import stat as stat_module

from denizen.errors import HostLacks
from denizen.file_content import MAP_FROM, regular_facts, whole
from denizen.fileview import USR_MERGED, FileKind, Stat, resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.bytesio import Buffer

# Limits of this process; they tell nothing about the file.
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)

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
        from denizen.disk import more_files

        return "ulimit -v unlimited" if self.code == errno.ENOMEM else more_files()


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
            return whole(descriptor, regular_facts(descriptor, path).st_size, self._map_from)
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


class EnvironmentView(RootedView):
    """A view of an environment's tree as those inside see it: /bin and its like are links into /usr.

    They are made where it is entered, and links in the tree go by them (/bin/nano of an alternative).
    """

    def _look(self, path: bytes) -> tuple[FileKind, bytes]:
        if path[1:] in USR_MERGED:
            return FileKind.SYMLINK, b"usr" + path
        return super()._look(path)


class looking_at:  # noqa: N801  # read as a statement; contextlib is too dear at start-up
    """A context that turns an OSError about this process's limits into NotLookedAt."""

    def __init__(self, path: bytes) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, problem: BaseException | None, _trace: object) -> None:
        if isinstance(problem, OSError) and problem.errno in _EXHAUSTED:
            raise NotLookedAt(self._path, problem.errno) from problem


def _facts(raw: os.stat_result) -> Stat:
    kind = _KINDS.get(stat_module.S_IFMT(raw.st_mode), FileKind.OTHER)
    owner, times = (raw.st_uid, raw.st_gid), (raw.st_mtime_ns, raw.st_ctime_ns)
    # Positional arguments: keywords would take 3 us more, and this is called for every library.
    return Stat(kind, raw.st_mode, raw.st_size, raw.st_dev, raw.st_ino, *owner, *times)


def is_permitted(path: bytes, mode: int) -> bool:
    """Return whether the effective user has these permissions (access(2), R_OK and the like).

    Where that is another than the real one, the kernel is asked by faccessat2: seccomp filters that are older
    than the call (Docker's before 20.10) refuse it with EPERM, as if the file forbade it.
    """
    as_another = (os.geteuid(), os.getegid()) != (os.getuid(), os.getgid())
    return os.access(path, mode, effective_ids=as_another and os.access in os.supports_effective_ids)
