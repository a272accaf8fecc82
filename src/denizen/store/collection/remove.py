"""Recursive deletion of a tree.

Through descriptors and without following links, like all writing to the store. Names that another process
has unlinked meanwhile are no error: two collections may empty the same trash.
"""

from __future__ import annotations

import errno
import os
import stat

from denizen.disk import ST_BLOCK
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Remove(Protocol):
        """The signature of unlink(2) and rmdir(2)."""

        def __call__(self, path: bytes | str, *, dir_fd: int) -> None:
            """Remove one name in a directory."""


# Directories that are open at once; the usual limit of descriptors is 1024, and a lower one is met before.
_DEEPEST = 200
_NONE_LEFT = (errno.EMFILE, errno.ENFILE)

# Flags to open a directory but not a link to one.
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW


class _Frame(Value):
    """A directory being emptied: its parent's descriptor, name, own descriptor, and the names left in it."""

    parent: int
    name: bytes | str
    descriptor: int
    left: list[str]


def remove_path(tree: bytes) -> None:
    """Remove a directory with all that is in it, by its path. Raises OSError."""
    parent = os.open(os.path.dirname(tree), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        remove_tree(parent, os.path.basename(tree))
    finally:
        os.close(parent)


def remove_tree(parent: int, name: bytes | str) -> int:
    """Unlink the tree `name` in the directory open as `parent`; return the bytes of disk freed.

    Raises OSError where something cannot be unlinked.
    """
    frames: list[_Frame] = []
    try:
        freed = _begin(parent, name, frames)
        while frames:
            frame = frames[-1]
            if frame.left:
                freed += _begin(frame.descriptor, frame.left.pop(), frames)
            else:
                _leave(frames.pop(), inside=bool(frames))
    finally:
        for frame in frames:
            os.close(frame.descriptor)
    return freed


def _begin(parent: int, name: bytes | str, frames: list[_Frame]) -> int:
    """Open a directory, or unlink anything else and return the bytes that frees."""
    # Not contextlib.suppress: for a small tree it took a third of the interpreter's time.
    try:
        facts = os.stat(name, dir_fd=parent, follow_symlinks=False)
        if stat.S_ISDIR(facts.st_mode):
            if len(frames) >= _DEEPEST or not _entered(parent, name, frames):
                _lift(parent, name, frames[0])
            return 0
        _allowed(os.unlink, parent, name, inside=bool(frames))
    except FileNotFoundError:
        return 0
    return facts.st_blocks * ST_BLOCK if facts.st_nlink == 1 else 0


def _lift(parent: int, name: bytes | str, top: _Frame) -> None:
    """Move a directory that lies too deep to the tree's top, where it is removed later.

    A builder may leave directories in one another by the ten thousand, and each open one costs a descriptor.
    """
    os.chmod(name, 0o700, dir_fd=parent)
    for directory in (parent, top.descriptor):
        os.fchmod(directory, 0o700)
    lifted = f".denizen-lifted-{os.urandom(8).hex()}"
    os.rename(name, lifted, src_dir_fd=parent, dst_dir_fd=top.descriptor)
    top.left.append(lifted)


def _entered(parent: int, name: bytes | str, frames: list[_Frame]) -> bool:
    """Open a directory; tell whether there was a descriptor for it. Directly below the tree there must be."""
    try:
        frames.append(_enter(parent, name))
    except OSError as error:
        if error.errno not in _NONE_LEFT or len(frames) < 2:
            raise
        return False
    return True


def _enter(parent: int, name: bytes | str) -> _Frame:
    try:
        descriptor = os.open(name, DIRECTORY, dir_fd=parent)
    except PermissionError:
        # A builder may have left a directory that its owner cannot read.
        os.chmod(name, 0o700, dir_fd=parent)
        descriptor = os.open(name, DIRECTORY, dir_fd=parent)
    try:
        return _Frame(parent, name, descriptor, os.listdir(descriptor))
    except BaseException:
        os.close(descriptor)
        raise


def _leave(frame: _Frame, *, inside: bool) -> None:
    os.close(frame.descriptor)
    try:
        _allowed(os.rmdir, frame.parent, frame.name, inside=inside)
    except FileNotFoundError:
        return


def _allowed(step: Remove, parent: int, name: bytes | str, *, inside: bool) -> None:
    """Do `step` in a directory; if it is read-only, as directories of objects are, make it writable first.

    The permission is changed only after a refusal: root is spared a system call for each directory.
    """
    try:
        step(name, dir_fd=parent)
    except PermissionError:
        if not inside:
            raise
        os.fchmod(parent, 0o700)
        step(name, dir_fd=parent)
