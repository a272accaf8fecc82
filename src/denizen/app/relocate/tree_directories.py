"""The directories of a tree, opened from its top downwards without following a link.

Root may change files of a tree that another user can write to. That user could put a link in a directory's
place between the look at a file and its change, and have a file elsewhere replaced (CWE-367).
"""

from __future__ import annotations

import os
import posixpath

from denizen.disk import open_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

# Directories on the way need not be readable.
_ON_THE_WAY = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class TreeDirectories:
    """A context that has one directory of a tree open at a time, the one asked for last.

    Files of one directory come one after the other: each is opened once.
    """

    def __init__(self, top: bytes) -> None:
        self._top = top.rstrip(b"/")
        self._path: bytes | None = None
        self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def of(self, path: bytes) -> int:
        """Return the directory of a file in the tree, open until the next call.

        Raises OSError (ELOOP, ENOTDIR) if a link is on the way to it.
        """
        directory = posixpath.dirname(path) or b"."
        if directory != self._path:
            self._close()
            self._descriptor = self._opened(directory)
            self._path = directory
        return self._descriptor

    def open(self, path: bytes | str, flags: int) -> int:
        """Return the descriptor of a regular file of the tree: an `opener`. Raises OSError."""
        place = os.fsencode(path)
        directory = self.of(place)
        return open_regular(os.path.basename(place), flags | os.O_NOFOLLOW, dir_fd=directory)

    def _opened(self, directory: bytes) -> int:
        # How the top itself is reached was the user's word.
        descriptor = os.open(self._top or b"/", _ON_THE_WAY)
        for name in directory[len(self._top) :].split(b"/"):
            if name:
                descriptor = _below(descriptor, name, directory)
        return _readable(descriptor)

    def _close(self) -> None:
        if self._path is not None:
            os.close(self._descriptor)
            self._path = None


def _below(above: int, name: bytes, path: bytes) -> int:
    """Open a directory in another, which is closed. Raises OSError about `path`."""
    try:
        return os.open(name, _ON_THE_WAY | os.O_NOFOLLOW, dir_fd=above)
    except OSError as problem:
        problem.filename = path
        raise
    finally:
        os.close(above)


def _readable(directory: int) -> int:
    """Open a directory for reading too, if this user may; the descriptor given is closed then."""
    try:
        found = os.open(b".", _DIRECTORY, dir_fd=directory)
    except PermissionError:
        return directory
    os.close(directory)
    return found
