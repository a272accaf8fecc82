"""The place of a file that is to be replaced, by its directory's descriptor and its name there."""

from __future__ import annotations

import contextlib
import errno
import os

from denizen.disk import OPEN_NEW, PRIVATE, temporary_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_OPEN_BOTH = OPEN_NEW & ~os.O_WRONLY | os.O_RDWR


class ReplacedFile:
    """A file that is replaced: its directory, open, and its name there; a path may lead elsewhere by now."""

    def __init__(self, directory: int, path: bytes) -> None:
        self.directory = directory
        self.path = path
        self._name = os.path.basename(path)
        self.beside = temporary_name(path)
        self._temporary = os.path.basename(self.beside)

    def facts(self) -> os.stat_result | None:
        """Return what lies there, a link itself; None for nothing."""
        try:
            return os.stat(self._name, dir_fd=self.directory, follow_symlinks=False)
        except FileNotFoundError:
            return None

    @contextlib.contextmanager
    def opened(self, flags: int = os.O_RDONLY) -> Iterator[int]:
        """Open the file that lies there."""
        flags |= os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(self._name, flags, dir_fd=self.directory)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def new(self) -> Iterator[int]:
        """Make a file beside it, which `put` puts there; removed where that did not come to be."""
        try:
            descriptor = os.open(self._temporary, _OPEN_BOTH, PRIVATE, dir_fd=self.directory)
        except OSError as problem:
            # Nobody named the temporary file.
            problem.filename = self.path
            raise
        try:
            yield descriptor
        finally:
            os.close(descriptor)
            self._clear()

    def seal(self, descriptor: int) -> None:
        """Let the open new file be open for reading alone: nobody can execute what is open for writing."""
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
        reading = os.open(self._temporary, flags, dir_fd=self.directory)
        try:
            self.must_be(reading, os.fstat(descriptor))
            os.dup2(reading, descriptor, inheritable=False)
        finally:
            os.close(reading)

    def must_be(self, descriptor: int, facts: os.stat_result) -> None:
        """Raise OSError if an open file is another than the one with these facts."""
        if not os.path.samestat(os.fstat(descriptor), facts):
            raise FileNotFoundError(errno.ENOENT, "another process replaced it", self.path)

    def link(self, target: bytes, facts: os.stat_result) -> None:
        """Put a symbolic link there."""
        os.symlink(target, self._temporary, dir_fd=self.directory)
        times = (facts.st_atime_ns, facts.st_mtime_ns)
        os.utime(self._temporary, ns=times, dir_fd=self.directory, follow_symlinks=False)
        self.put()

    def name_too(self, other: ReplacedFile) -> None:
        """Let the file that lies there be in the other place too."""
        os.link(
            self._name, other._temporary, src_dir_fd=self.directory, dst_dir_fd=other.directory,
            follow_symlinks=False,
        )  # fmt: skip
        other.put()

    def put(self) -> None:
        """Put there what was made beside it."""
        os.rename(self._temporary, self._name, src_dir_fd=self.directory, dst_dir_fd=self.directory)

    def sync(self) -> None:
        """Make what was put there durable; a directory that this user may not read cannot be asked to."""
        try:
            os.fsync(self.directory)
        except OSError as problem:
            if problem.errno != errno.EBADF:
                raise

    def _clear(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._temporary, dir_fd=self.directory)
