"""The file system of a target, walked directory by directory so that no link in it leads out of it.

Every operation opens the directories on its way without following links (O_NOFOLLOW), and acts by the
descriptor of the last one: a link that somebody puts there meanwhile is not followed either. Where links may
be followed (`following`), they are resolved below the target, as chroot(2) would. What is `durable` outlasts
a power failure once the call returns; after several that are not, `sync` does it for all.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat

from denizen.disk import OPEN_NEW
from denizen.fileview import MAX_LINKS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_TEMPORARY = b".%b.denizen-new"
Owner = tuple[int, int]


class TargetRoot:
    """A directory as the root of a system; paths are relative to it, without `.` and `..`."""

    def __init__(self, place: bytes) -> None:
        self.place = os.path.abspath(place)

    @contextlib.contextmanager
    def directory(self, path: bytes, *, following: bool = False) -> Iterator[int]:
        """Open a directory, as a descriptor.

        Raises OSError: ENOENT; ENOTDIR or ELOOP where a link is in the way.
        """
        opened = [os.open(self.place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)]
        try:
            self._walk(opened, path, following=following)
            yield opened[-1]
        finally:
            for one in opened:
                os.close(one)

    def _walk(self, opened: list[int], path: bytes, *, following: bool) -> None:
        left, links = [part for part in reversed(path.split(b"/")) if part], 0
        while left:
            name = left.pop()
            if name in (b"", b"."):
                continue
            if name == b"..":
                if len(opened) > 1:
                    os.close(opened.pop())
                continue
            try:
                opened.append(os.open(name, _DIRECTORY, dir_fd=opened[-1]))
            except OSError as problem:
                if not following or problem.errno not in (errno.ENOTDIR, errno.ELOOP):
                    raise OSError(problem.errno, os.strerror(problem.errno or 0), self.shown(path)) from None
                target = os.readlink(name, dir_fd=opened[-1])
                if os.stat(name, dir_fd=opened[-1], follow_symlinks=False).st_uid not in (0, os.geteuid()):
                    # An owner of a directory would choose whose mode and owner are set (CVE-2017-18078).
                    raise OSError(
                        errno.EPERM, "another user's link is in the way", self.shown(path)
                    ) from None
                links += 1
                if links > MAX_LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), self.shown(path)) from None
                if target.startswith(b"/"):
                    while len(opened) > 1:
                        os.close(opened.pop())
                left += reversed(target.split(b"/"))

    def shown(self, path: bytes) -> bytes:
        """Return the path on this machine, for messages."""
        return self.place.rstrip(b"/") + b"/" + path

    @contextlib.contextmanager
    def _above(self, path: bytes) -> Iterator[tuple[int, bytes]]:
        parent, _, name = path.rpartition(b"/")
        with self.directory(parent) as descriptor, self._naming(path):
            yield descriptor, name

    @contextlib.contextmanager
    def _naming(self, path: bytes) -> Iterator[None]:
        try:
            yield
        except OSError as problem:
            problem.filename, problem.filename2 = self.shown(path), None
            raise

    def facts(self, path: bytes) -> os.stat_result | None:
        """Return the facts of a file itself; None where there is none. Raises OSError."""
        try:
            with self._above(path) as (parent, name):
                return os.stat(name, dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def link_target(self, path: bytes) -> bytes | None:
        """Return the target of a link; None where there is none, or something else. Raises OSError."""
        try:
            with self._above(path) as (parent, name):
                return os.readlink(name, dir_fd=parent)
        except OSError as problem:
            if problem.errno in (errno.ENOENT, errno.EINVAL):
                return None
            raise

    def read(self, path: bytes, limit: int) -> bytes | None:
        """Return at most `limit` bytes of a regular file; None where there is no file. Raises OSError."""
        try:
            with self._above(path) as (parent, name):
                flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
                with open(os.open(name, flags, dir_fd=parent), "rb") as stream:
                    facts = os.fstat(stream.fileno())
                    if not stat.S_ISREG(facts.st_mode):
                        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
                    # Python takes memory for all it may read: the limit can be more than the machine has.
                    return stream.read(min(limit, facts.st_size + 1))
        except FileNotFoundError:
            return None

    def names(self, path: bytes) -> list[bytes]:
        """Return the names in a directory, sorted; none where it is absent. Raises OSError."""
        try:
            with self.directory(path) as descriptor:
                return sorted(map(os.fsencode, os.listdir(descriptor)))
        except FileNotFoundError:
            return []

    def write(
        self, path: bytes, content: bytes, mode: int, owner: Owner | None = None, *, durable: bool = True
    ) -> None:
        """Put a file there, complete or not at all, in place of what was there. Raises OSError."""
        with self._above(path) as (parent, name):
            temporary = _TEMPORARY % name
            _unlink(temporary, parent)
            with open(os.open(temporary, OPEN_NEW, 0o600, dir_fd=parent), "wb") as stream:
                stream.write(content)
                stream.flush()
                # chown first: it clears the set-user-ID bits.
                if owner is not None:
                    os.fchown(stream.fileno(), *owner)
                os.fchmod(stream.fileno(), mode)
                os.fsync(stream.fileno())
            os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
            _sync(parent, durable=durable)

    def link(self, path: bytes, target: bytes, *, durable: bool = True) -> None:
        """Make a symbolic link in place of a file or link that was there, by one rename. Raises OSError."""
        with self._above(path) as (parent, name):
            temporary = _TEMPORARY % name
            _unlink(temporary, parent)
            os.symlink(target, temporary, dir_fd=parent)
            os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
            _sync(parent, durable=durable)

    def hard_link(self, path: bytes, new: bytes, *, durable: bool = True) -> None:
        """Give a file or link a second name, in place of what had that name. Raises OSError."""
        with self._above(path) as (parent, name), self._above(new) as (other, second):
            _unlink(second, other)
            os.link(name, second, src_dir_fd=parent, dst_dir_fd=other, follow_symlinks=False)
            _sync(other, durable=durable)

    def rename(self, path: bytes, new: bytes, *, durable: bool = True) -> None:
        """Rename a file over another. Raises OSError."""
        with self._above(path) as (parent, name), self._above(new) as (other, second):
            os.rename(name, second, src_dir_fd=parent, dst_dir_fd=other)
            _sync(other, durable=durable)

    def remove(self, path: bytes, *, durable: bool = True) -> None:
        """Remove a file or link if it is there. Raises OSError."""
        with contextlib.suppress(FileNotFoundError), self._above(path) as (parent, name):
            os.unlink(name, dir_fd=parent)
            _sync(parent, durable=durable)

    def forget_temporary(self, path: bytes) -> None:
        """Remove what a kill may have left of a file or link that was being made there. Raises OSError."""
        parent, slash, name = path.rpartition(b"/")
        self.remove(parent + slash + _TEMPORARY % name, durable=False)

    def sync(self, directory: bytes) -> None:
        """Make what was done in a directory durable; nothing where it is absent. Raises OSError."""
        with contextlib.suppress(FileNotFoundError), self.directory(directory) as descriptor:
            os.fsync(descriptor)

    def remove_directory(self, path: bytes) -> bool:
        """Remove a directory if it is empty; tell whether it is gone. Raises OSError."""
        try:
            with self._above(path) as (parent, name):
                os.rmdir(name, dir_fd=parent)
        except FileNotFoundError:
            return True
        except OSError as problem:
            if problem.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR, errno.EBUSY):
                return False
            raise
        return True

    def remove_tree(self, path: bytes) -> None:
        """Remove a directory with all in it, if it is there; links in it are not followed. Raises OSError."""
        facts = self.facts(path)
        if facts is None:
            return
        if not stat.S_ISDIR(facts.st_mode):
            self.remove(path, durable=False)
            return
        for name in self.names(path):
            self.remove_tree(path + b"/" + name)
        self.remove_directory(path)

    def make_directory(self, path: bytes, mode: int = 0o755) -> bool:
        """Make a directory, and missing ones above it; tell whether it was absent. Raises OSError."""
        made = False
        parts = path.split(b"/")
        for count in range(1, len(parts) + 1):
            with self._above(b"/".join(parts[:count])) as (parent, name):
                try:
                    os.mkdir(name, mode, dir_fd=parent)
                except FileExistsError:
                    made = False
                    if not stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
                        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
                else:
                    made = True
                    os.chmod(name, mode, dir_fd=parent)
        return made

    def ensure_directory(self, path: bytes, mode: int, owner: Owner | None) -> None:
        """Make a directory of that mode and owner, or give them to one that is there; links are followed.

        Raises OSError.
        """
        parent, _, name = path.rpartition(b"/")
        self._ensure_above(parent)
        existing = contextlib.suppress(FileExistsError)
        with self.directory(parent, following=True) as above, self._naming(path), existing:
            os.mkdir(name, 0o700, dir_fd=above)
        with self.directory(path, following=True) as descriptor, self._naming(path):
            if owner is not None:
                os.fchown(descriptor, *owner)
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)

    def _ensure_above(self, path: bytes) -> None:
        try:
            with self.directory(path, following=True):
                return
        except FileNotFoundError:
            pass
        self.ensure_directory(path, 0o755, None)


def _sync(directory: int, *, durable: bool) -> None:
    if durable:
        os.fsync(directory)


def _unlink(name: bytes, parent: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=parent)
