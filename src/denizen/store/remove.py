"""Unlinking trees that are no longer part of the store.

Through descriptors and without following links, like everything that writes. What another process
has unlinked meanwhile is not missed: two collections may empty the same trash.
"""

from __future__ import annotations

import contextlib
import os
import stat

from denizen.value import value

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW
# st_blocks counts in these (stat(2)), whatever the file system's own block.
_BLOCK = 512


@value
class _Frame:
    """A directory being emptied: where it is, its descriptor, the names left in it."""

    parent: int
    name: bytes
    descriptor: int
    left: list[bytes]


def remove_tree(parent: int, name: bytes) -> int:
    """Unlink the tree `name` in the directory `parent`; returns the bytes of disk it gave back.

    Raises OSError where something cannot be unlinked.
    """
    freed = 0
    frames: list[_Frame] = []
    try:
        here, child = parent, name
        while True:
            gave, frame = _visit(here, child)
            freed += gave
            if frame is not None:
                frames.append(frame)
            while frames and not frames[-1].left:
                _leave(frames.pop())
            if not frames:
                return freed
            here, child = frames[-1].descriptor, frames[-1].left.pop()
    finally:
        for frame in frames:
            os.close(frame.descriptor)


def _visit(parent: int, name: bytes) -> tuple[int, _Frame | None]:
    """Unlink what is no directory, and say how many bytes that frees; open what is one."""
    with contextlib.suppress(FileNotFoundError):
        facts = os.stat(name, dir_fd=parent, follow_symlinks=False)
        if stat.S_ISDIR(facts.st_mode):
            return 0, _enter(parent, name)
        os.unlink(name, dir_fd=parent)
        return facts.st_blocks * _BLOCK if facts.st_nlink == 1 else 0, None
    return 0, None


def _enter(parent: int, name: bytes) -> _Frame:
    """Open a directory, made writable for its owner: objects are not."""
    descriptor = os.open(name, _DIRECTORY, dir_fd=parent)
    try:
        os.fchmod(descriptor, 0o700)
        with os.scandir(descriptor) as scan:
            return _Frame(parent, name, descriptor, [os.fsencode(entry.name) for entry in scan])
    except BaseException:
        os.close(descriptor)
        raise


def _leave(frame: _Frame) -> None:
    os.close(frame.descriptor)
    with contextlib.suppress(FileNotFoundError):
        os.rmdir(frame.name, dir_fd=frame.parent)
