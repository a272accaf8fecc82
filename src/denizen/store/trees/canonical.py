"""Canonical metadata of objects: read-only, mtime 1, no setuid; setting and checking it.

Through descriptors and without following links. A file with another hard link, inside the tree or
outside, is replaced by a copy first: through that other name it could be changed later.
"""

from __future__ import annotations

import os
import stat

from denizen.store.trees.tree_reader import OPEN_DIRECTORY, OpenDirectory, checked, names_in, not_storable
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# atime and mtime of everything in the store, in nanoseconds: one second after 1970 (Nix,
# libstore/local-store.cc), as zero is what some programs take for "no such file".
STORE_TIMES = (1_000_000_000, 1_000_000_000)

_COPY = b".denizen-copy"
_CHUNK = 1024 * 1024


class RestoreOptions(Value):
    """The modes and times of restored files.

    Attributes:
        plain: mode of a file, subject to the umask unless `canonical`.
        executable: mode of an executable file, and of a directory.
        canonical: exact modes and mtime 1, set once a file or directory is complete.
    """

    plain: int
    executable: int
    canonical: bool


# For objects of the store.
STORED = RestoreOptions(0o444, 0o555, canonical=True)
# For the user's own files, and trees that builders still work on.
ORDINARY = RestoreOptions(0o666, 0o777, canonical=False)


def canonicalise(tree: bytes) -> None:
    """Give the tree at `tree` the metadata that objects have.

    Raises:
        OSError: a system call failed.
        NotStorable: a socket, FIFO or device.
        TooDeep: a path longer than archives allow.
    """
    _walk(tree, _settle, _open, _seal)


def reset_metadata(tree: bytes) -> None:
    """Set a registered object's modes and times again; hard links stay. Raises as `canonicalise`."""
    _walk(tree, _reset, _open, _seal)


def is_canonical(tree: bytes) -> bool:
    """Return whether everything in an object has canonical metadata. Raises as `canonicalise`."""
    answers: list[bool] = []

    def look(parent: int, name: bytes, _inside: bytes) -> bool:
        facts = os.stat(name, dir_fd=parent, follow_symlinks=False)
        answers.append(canonical_facts(facts))
        return stat.S_ISDIR(facts.st_mode)

    _walk(
        tree,
        look,
        lambda descriptor, inside: OpenDirectory(descriptor, inside, names_in(descriptor)),
        os.close,
    )
    return all(answers)


def canonical_facts(facts: os.stat_result) -> bool:
    """Return whether the mode and mtime of one file, directory or link are canonical."""
    mode = stat.S_IMODE(facts.st_mode)
    if stat.S_ISDIR(facts.st_mode):
        fits = mode == STORED.executable
    else:
        fits = stat.S_ISLNK(facts.st_mode) or mode in (STORED.plain, STORED.executable)
    return fits and facts.st_mtime_ns == STORE_TIMES[1]


def _walk(
    tree: bytes,
    visit: Callable[[int, bytes, bytes], bool],
    enter: Callable[[int, bytes], OpenDirectory],
    leave: Callable[[int], None],
) -> None:
    """Call `visit` for everything in the tree; a directory, for which it returns True, before its content.

    `enter` is called with each opened directory and its path inside the tree, `leave` with its descriptor.
    """
    parent = os.open(os.path.dirname(tree) or b".", OPEN_DIRECTORY)
    frames: list[OpenDirectory] = []
    try:
        name = os.path.basename(tree)
        if visit(parent, name, b""):
            frames.append(enter(os.open(name, OPEN_DIRECTORY, dir_fd=parent), b""))
        while frames:
            frame = frames[-1]
            if not frame.left:
                leave(frames.pop().descriptor)
                continue
            name, _ = frame.left.pop()
            inside = checked(frame.inside, name, len(frames))
            if visit(frame.descriptor, name, inside):
                child = os.open(name, OPEN_DIRECTORY, dir_fd=frame.descriptor)
                frames.append(enter(child, inside))
    finally:
        for frame in frames:
            os.close(frame.descriptor)
        os.close(parent)


def _open(descriptor: int, inside: bytes) -> OpenDirectory:
    # A builder may have left it read-only, and a file in it may have to be replaced.
    os.fchmod(descriptor, 0o700)
    return OpenDirectory(descriptor, inside, names_in(descriptor))


def _seal(descriptor: int) -> None:
    """Set the metadata of a directory whose content is complete, and close it."""
    try:
        os.fchmod(descriptor, STORED.executable)
        os.utime(descriptor, ns=STORE_TIMES)
    finally:
        os.close(descriptor)


def _settle(parent: int, name: bytes, inside: bytes) -> bool:
    """Set canonical metadata unless it is a directory; return whether it is one."""
    facts = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if stat.S_ISDIR(facts.st_mode):
        if facts.st_mode & stat.S_IRWXU != stat.S_IRWXU:
            # A builder may have left it so that its owner cannot open it.
            os.chmod(name, stat.S_IRWXU, dir_fd=parent)
        return True
    if not (stat.S_ISREG(facts.st_mode) or stat.S_ISLNK(facts.st_mode)):
        raise not_storable(inside, facts.st_mode)
    if facts.st_nlink > 1:
        if stat.S_ISREG(facts.st_mode) and not facts.st_mode & stat.S_IRUSR:
            os.chmod(name, facts.st_mode & 0o777 | stat.S_IRUSR, dir_fd=parent)
        _replace_by_copy(parent, name, facts)
    return _reset(parent, name, inside)


def _reset(parent: int, name: bytes, _inside: bytes) -> bool:
    facts = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if stat.S_ISDIR(facts.st_mode):
        return True
    if stat.S_ISREG(facts.st_mode):
        mode = STORED.executable if facts.st_mode & stat.S_IXUSR else STORED.plain
        os.chmod(name, mode, dir_fd=parent)
    os.utime(name, ns=STORE_TIMES, dir_fd=parent, follow_symlinks=False)
    return False


def _replace_by_copy(parent: int, name: bytes, facts: os.stat_result) -> None:
    if stat.S_ISLNK(facts.st_mode):
        os.symlink(os.readlink(name, dir_fd=parent), _COPY, dir_fd=parent)
    else:
        source = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            copy = os.open(_COPY, flags, facts.st_mode & 0o777, dir_fd=parent)
            try:
                while block := os.read(source, _CHUNK):
                    while block:
                        block = block[os.write(copy, block) :]
            finally:
                os.close(copy)
        finally:
            os.close(source)
    os.rename(_COPY, name, src_dir_fd=parent, dst_dir_fd=parent)
