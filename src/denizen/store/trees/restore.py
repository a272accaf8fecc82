"""Write the entries of an untrusted archive to disk as a file tree.

Every name is created relative to the descriptor of its directory, which was made here or opened
without following links; every file is created exclusively. So nothing outside the top is written,
whatever the entries are, and even if another process changes the tree meanwhile.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat

from denizen.disk import OPEN_NEW
from denizen.errors import BadInput, display
from denizen.formats.file_tree import Directory, File, HardLink, Symlink
from denizen.store.collection.remove import DIRECTORY, remove_tree
from denizen.store.trees.canonical import ORDINARY, STORE_TIMES
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from denizen.bytesio import Buffer
    from denizen.formats.file_tree import ArchiveEntry, Entry
    from denizen.store.thread_pool import ThreadPool
    from denizen.store.trees.canonical import RestoreOptions

# Archives of at most this many files are unpacked without threads.
_FEW = 128
# Threads; more than processors, for each waits for the disk and for the interpreter. Measured with 10,000
# files on ext4 and two processors shared with other work, as a fraction of nix-store's speed: no thread
# 0.69, one 0.82, three 0.94 to 1.00, four 1.10.
_WORKERS = 4
# A file of this size, in bytes, is begun only if the disk has room for it.
_LARGE = 64 * 1024 * 1024
# Limits of one task for a thread: waiting tasks are in memory, and waking a thread takes time.
_SHARE_FILES = 32
_SHARE_BYTES = 1024 * 1024


class UnsafeEntry(BadInput):
    """An entry whose path leads through a link or file, or is taken already."""

    path: bytes
    reason: str
    WHAT = "'{path}' cannot be unpacked"
    WHY = "{reason:text}"


def restoring(entries: Iterable[Entry], parent: int, name: bytes, manner: RestoreOptions) -> Iterator[Entry]:
    """Write entries, in a NAR's order, to `name` in the directory open as `parent`; yield each once written.

    Where a file's content comes piece by piece, it is written as the consumer takes the pieces, so that one
    pass can write and digest; content that is not taken is written when the next entry is asked for.

    Raises:
        OSError: a system call failed.
        UnsafeEntry: a path leads through a link or a file, or occurs twice.
    """
    with contextlib.closing(_Writer(parent, name, manner)) as writer:
        for entry in entries:
            if isinstance(entry, File):
                yield from writer.file(entry)
            else:
                writer.other(entry)
                yield entry
        writer.leave_all()


def restore(entries: Iterable[ArchiveEntry], parent: int, name: bytes, manner: RestoreOptions) -> None:
    """Write the entries to `name` in the directory open as `parent`. Raises as `restoring`.

    With options that are not canonical, entries of one directory need not be consecutive: a directory that
    was closed is opened again. A directory must still come before its content.
    """
    with contextlib.closing(_Writer(parent, name, manner)) as writer:
        for entry in entries:
            if isinstance(entry, File):
                writer.file_now(entry)
            else:
                writer.other(entry)
        writer.leave_all()


def restore_nar(entries: Iterable[ArchiveEntry], parent: int, name: bytes, manner: RestoreOptions) -> None:
    """Write entries, in a NAR's order, to `name` in the directory open as `parent`. Raises as `restoring`.

    After the first `_FEW` files, threads write the files while the archive is read on. A hard link, which a
    NAR has none of, waits for all files before it.
    """
    with contextlib.closing(_Overseer(parent, name, manner)) as writer:
        for entry in entries:
            if isinstance(entry, File):
                writer.file_later(entry)
            else:
                writer.other(entry)
        writer.finish()


def restore_new(entries: Iterable[ArchiveEntry], destination: bytes) -> None:
    """Write the entries to `destination`, which must not exist, as the user's own files.

    If that fails, everything written is removed. Raises as `restoring`.
    """
    parent = os.open(os.path.dirname(destination) or b".", DIRECTORY & ~os.O_NOFOLLOW)
    try:
        name = os.path.basename(destination)
        _refuse_present(parent, name, destination)
        try:
            restore_nar(entries, parent, name, ORDINARY)
        except BaseException:
            remove_tree(parent, name)
            raise
    finally:
        os.close(parent)


def _refuse_present(parent: int, name: bytes, destination: bytes) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.stat(name, dir_fd=parent, follow_symlinks=False)
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), destination)


class _Writer:
    """The directories that are open, top first, each with its path inside the tree."""

    def __init__(self, parent: int, name: bytes, manner: RestoreOptions) -> None:
        self._parent = parent
        self._name = name
        self._manner = manner
        self._open: list[tuple[bytes, int]] = []

    def file(self, entry: File) -> Iterator[File]:
        directory, name = self._place(entry.path)
        descriptor = _new_file(entry, name, directory, self._mode(entry))
        try:
            if isinstance(entry.content, tuple):
                for piece in entry.content:
                    _write(descriptor, piece)
                yield entry
            else:
                content = _written(descriptor, entry.content)
                yield File(entry.path, entry.executable, entry.size, content)
                for _ in content:
                    pass
            if self._manner.canonical:
                _seal(descriptor, self._mode(entry))
        finally:
            os.close(descriptor)

    def file_now(self, entry: File) -> None:
        directory, name = self._place(entry.path)
        _make(entry, directory, name, self._manner)

    def other(self, entry: ArchiveEntry) -> None:
        directory, name = self._place(entry.path)
        try:
            if isinstance(entry, Directory):
                os.mkdir(name, 0o700 if self._manner.canonical else self._manner.executable, dir_fd=directory)
                self._open.append((entry.path, os.open(name, DIRECTORY, dir_fd=directory)))
            elif isinstance(entry, Symlink):
                os.symlink(entry.target, name, dir_fd=directory)
                if self._manner.canonical:
                    os.utime(name, ns=STORE_TIMES, dir_fd=directory, follow_symlinks=False)
            elif isinstance(entry, HardLink):
                self._hard_link(entry, directory, name)
        except FileExistsError:
            raise UnsafeEntry(entry.path, "its place is taken") from None

    def leave_all(self) -> None:
        """Complete and close every open directory."""
        while self._open:
            self._leave()

    def close(self) -> None:
        """Close the open directories after a failure."""
        while self._open:
            os.close(self._open.pop()[1])

    def _mode(self, entry: File) -> int:
        return self._manner.executable if entry.executable else self._manner.plain

    def _place(self, path: bytes) -> tuple[int, bytes]:
        """Return the descriptor of the directory an entry belongs to, and its name there."""
        if not path:
            return self._parent, self._name
        above, _, name = path.rpartition(b"/")
        while self._open and not _inside(above, self._open[-1][0]):
            self._leave()
        if not self._open:
            raise UnsafeEntry(path, "the tree's top is not a directory")
        self._enter(above)
        return self._open[-1][1], name

    def _enter(self, path: bytes) -> None:
        """Open the directories from the innermost open one down to `path`, which were closed before."""
        here, descriptor = self._open[-1]
        while here != path:
            component = path[len(here) + 1 if here else 0 :].partition(b"/")[0]
            here = b"%b/%b" % (here, component) if here else component
            try:
                descriptor = os.open(component, DIRECTORY, dir_fd=descriptor)
            except (NotADirectoryError, FileNotFoundError):
                raise UnsafeEntry(path, f"'{display(here)}' is not a directory of the tree") from None
            self._open.append((here, descriptor))

    def _leave(self) -> None:
        _, descriptor = self._open.pop()
        _settle(descriptor, self._manner)

    def _hard_link(self, entry: HardLink, directory: int, name: bytes) -> None:
        """Make a hard link to a file of this tree, found through directories only, never through links."""
        above, _, existing = entry.existing.rpartition(b"/")
        here = os.dup(self._open[0][1]) if self._open else -1
        try:
            for component in above.split(b"/") if above else ():
                there = os.open(component, DIRECTORY, dir_fd=here)
                os.close(here)
                here = there
            if not stat.S_ISREG(os.stat(existing, dir_fd=here, follow_symlinks=False).st_mode):
                raise UnsafeEntry(entry.path, f"'{display(entry.existing)}' is not a file")
            os.link(existing, name, src_dir_fd=here, dst_dir_fd=directory, follow_symlinks=False)
        except (NotADirectoryError, FileNotFoundError):
            raise UnsafeEntry(entry.path, f"there is no '{display(entry.existing)}' to link to") from None
        finally:
            if here >= 0:
                os.close(here)


class _Share(Value):
    """Files to be made in one directory; with `last`, the directory is completed and closed afterwards."""

    directory: int
    files: list[File]
    last: bool
    manner: RestoreOptions

    def do(self) -> None:
        try:
            for entry in self.files:
                _make(entry, self.directory, entry.path.rpartition(b"/")[2], self.manner)
        except BaseException:
            self.drop()
            raise
        if self.last:
            _settle(self.directory, self.manner)

    def drop(self) -> None:
        if self.last:
            os.close(self.directory)


class _Overseer(_Writer):
    """Makes directories and links, and has threads make the files; one thread for all files of a directory.

    The same thread also completes the directory, so that nothing is made in it afterwards.
    """

    def __init__(self, parent: int, name: bytes, manner: RestoreOptions) -> None:
        super().__init__(parent, name, manner)
        self._count = 0
        self._pool: ThreadPool | None = None
        # Files to be made in the innermost open directory, and their total size in bytes.
        self._waiting: list[File] = []
        self._size = 0

    def file_later(self, entry: File) -> None:
        """Make the file now, or queue it for a thread."""
        directory, name = self._place(entry.path)
        self._count += 1
        if self._count <= _FEW or not isinstance(entry.content, tuple):
            _make(entry, directory, name, self._manner)
            return
        self._waiting.append(entry)
        self._size += entry.size
        if self._size >= _SHARE_BYTES or len(self._waiting) >= _SHARE_FILES:
            self._hand_over(directory, last=False)

    def other(self, entry: ArchiveEntry) -> None:
        directory, _ = self._place(entry.path)
        if self._waiting:
            self._hand_over(directory, last=False)
        if isinstance(entry, HardLink) and self._pool is not None:
            self._pool.finish()
            self._pool = None
        super().other(entry)

    def finish(self) -> None:
        """Complete every directory, and wait until all files are made."""
        self.leave_all()
        if self._pool is not None:
            self._pool.finish()

    def close(self) -> None:
        if self._pool is not None:
            self._pool.close()
        super().close()

    def _leave(self) -> None:
        if self._pool is None and not self._waiting:
            super()._leave()
        else:
            self._hand_over(self._open.pop()[1], last=True)

    def _hand_over(self, directory: int, *, last: bool) -> None:
        if self._pool is None:
            from denizen.store.thread_pool import (
                ThreadPool,  # small archives need none, and it takes 3 ms to import
            )

            self._pool = ThreadPool(_WORKERS)
        share = _Share(directory, self._waiting, last, self._manner)
        self._waiting, self._size = [], 0
        # The descriptor serves as the thread's number: it is the same for all shares of one directory.
        self._pool.tell(directory, share)


def _make(entry: File, directory: int, name: bytes, manner: RestoreOptions) -> None:
    mode = manner.executable if entry.executable else manner.plain
    descriptor = _new_file(entry, name, directory, mode)
    try:
        for piece in entry.content:
            _write(descriptor, piece)
        if manner.canonical:
            _seal(descriptor, mode)
    finally:
        os.close(descriptor)


def _settle(directory: int, manner: RestoreOptions) -> None:
    """Set the metadata of a complete directory, and close it."""
    try:
        if manner.canonical:
            _seal(directory, manner.executable)
    finally:
        os.close(directory)


def _seal(descriptor: int, mode: int) -> None:
    os.fchmod(descriptor, mode)
    os.utime(descriptor, ns=STORE_TIMES)


def _inside(path: bytes, directory: bytes) -> bool:
    return not directory or path == directory or path.startswith(directory + b"/")


def _new_file(entry: File, name: bytes, directory: int, mode: int) -> int:
    if entry.size >= _LARGE:
        _check_room(entry, directory)
    try:
        return os.open(name, OPEN_NEW, mode, dir_fd=directory)
    except FileExistsError:
        raise UnsafeEntry(entry.path, "its place is taken") from None


def _check_room(entry: File, directory: int) -> None:
    """Raise OSError if the disk has no room for a file, hours before a large one has filled it."""
    facts = os.fstatvfs(directory)
    free = facts.f_bfree * facts.f_frsize
    # Some file systems in user space tell no sizes.
    if facts.f_blocks and entry.size > free:
        name = f"'{display(entry.path)}'" if entry.path else "the file"
        reason = f"{name} has {entry.size:,} bytes, and {free:,} are free"
        raise OSError(errno.ENOSPC, reason)


def _written(descriptor: int, content: Iterable[Buffer]) -> Iterator[Buffer]:
    for piece in content:
        _write(descriptor, piece)
        yield piece


def _write(descriptor: int, piece: Buffer) -> None:
    """Write all of `piece`: write(2) may write less, for example when the disk has just become full."""
    done = os.write(descriptor, piece)
    while done < len(piece):
        done += os.write(descriptor, memoryview(piece)[done:])
