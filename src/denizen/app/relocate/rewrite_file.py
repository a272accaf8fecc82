"""Writing of a changed file: beside its place first, checked there, and only then put there.

A file with one name is replaced by a rename, so that whoever has it open keeps the old one. One with
several names (hard links) is written to in place, since a rename would leave the other names with the old
content. Its mode, owner and extended attributes are kept (kept_attributes.py). What replaces a file is on
the disk before it does; a copy at a new place is not waited for, as no copying tool does: nothing is lost but
what can be made again.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat

from denizen.app.relocate.kept_attributes import give_attributes, give_back_attributes
from denizen.app.relocate.replaced_file import ReplacedFile
from denizen.app.relocate.tree_directories import TreeDirectories
from denizen.disk import ST_BLOCK, naming
from denizen.disk_view import DiskView
from denizen.errors import HostLacks
from denizen.file_content import whole
from denizen.relocate.file_edits import pieces
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from denizen.bytesio import Buffer
    from denizen.relocate.file_edits import FilePlan

_PIECE = 1 << 20
# writev(2) takes IOV_MAX parts, 1,024.
_MANY = 1000
# Files of which every byte is looked at are read up to this size (bytes): each page of a mapped one is a
# fault, and these take longer than the copy. Beyond it memory counts.
READ_UP_TO = 4 << 20
WHOLE_FILES = DiskView(READ_UP_TO)


class FileBusy(HostLacks):
    """The error that a file with several names is being executed: the kernel lets nobody write to it."""

    path: bytes
    WHAT = "{path} cannot be written to"
    WHY = "it has several names (hard links) and is being executed"
    REMEDY = "end the program, or write to another file with --output"


class Rewritten(Value):
    """The result: attributes of the file that could not be kept."""

    lost: tuple[str, ...] = ()


def rewrite(
    source: bytes, target: bytes, buffer: Buffer, plan: FilePlan, check: Callable[[bytes, Buffer], None]
) -> Rewritten:
    """Write the changed content of `source` to `target`, which may be the same file.

    Args:
        source: the path of the old file, for its attributes; no link.
        target: the path of the new one, in a directory without links on the way; a file there is replaced.
        buffer: the old content.
        plan: the changes.
        check: called with the new file's path and content before it is put at `target`; raises if wrong.

    Raises:
        OSError: a system call failed. Also what `check` raises; `target` is as it was then.
    """
    with (
        TreeDirectories(b"/") as directories,
        ReplacedFile(directories.of(source), source).opened() as old,
    ):
        place, facts = ReplacedFile(directories.of(target), target), os.fstat(old)
        with place.new() as new:
            there = place.facts()
            # Another name of the same file (a hard link) is another place: a file of its own comes there.
            in_place = source == target and there is not None and os.path.samestat(facts, there)
            write_patched(new, buffer, plan, synced=there is not None)
            lost = give_attributes(old, new, facts, whole=in_place)
            place.seal(new)
            check(place.beside, whole(new, os.fstat(new).st_size, READ_UP_TO))
            if in_place and facts.st_nlink > 1:
                lost += _copy_into(new, place, facts)
            else:
                place.put()
        if there is not None:
            place.sync()
    return Rewritten(lost)


def replace_content(
    directories: TreeDirectories, path: bytes, content: bytes, others: tuple[bytes, ...] = ()
) -> None:
    """Give a file of a tree another content; its mode, times and attributes stay. Raises OSError.

    `others` are its other names that get the content too. Where it has more names than these, it becomes two
    files, and those keep the old content. Directories that nobody may write to, as a store's, are opened for
    as long as it takes.
    """
    with contextlib.ExitStack() as held:
        directory = os.dup(directories.of(path))
        held.callback(os.close, directory)
        place = ReplacedFile(directory, path)
        old = held.enter_context(place.opened())
        facts, names = os.fstat(old), 1 + len(others)
        with _writable(directory):
            _replace(place, old, content, names)
        for other in others if facts.st_nlink > names else ():
            there = directories.of(other)
            with _writable(there):
                place.name_too(ReplacedFile(there, other))


def _replace(place: ReplacedFile, old: int, content: bytes, names: int) -> None:
    """Give the open file in a place another content; it has so many names in the tree."""
    facts = os.fstat(old)
    with place.new() as new:
        with naming(place.path):
            _write_content(new, content, sparse=facts.st_blocks * ST_BLOCK < facts.st_size)
        give_attributes(old, new, facts, whole=True)
        if facts.st_nlink == names > 1:
            os.fchmod(old, stat.S_IMODE(facts.st_mode) | stat.S_IWUSR)
            _copy_into(new, place, facts)
            os.fchmod(old, stat.S_IMODE(facts.st_mode))
            os.utime(old, ns=(facts.st_atime_ns, facts.st_mtime_ns))
        else:
            os.utime(new, ns=(facts.st_atime_ns, facts.st_mtime_ns))
            place.put()


def _write_content(descriptor: int, content: bytes, *, sparse: bool) -> None:
    """Write the content of a file; `sparse`: pieces of zeros are left out, as the old file left some out."""
    data, nothing = memoryview(content), bytes(_PIECE)
    for at in range(0, len(data), _PIECE):
        piece = data[at : at + _PIECE]
        if sparse and nothing.startswith(piece):
            os.lseek(descriptor, len(piece), os.SEEK_CUR)
        else:
            _write_rest(descriptor, piece)
    if sparse:
        os.ftruncate(descriptor, len(data))


def replace_link(directories: TreeDirectories, path: bytes, target: bytes) -> None:
    """Let a symbolic link of a tree lead elsewhere; its time stays. Raises OSError."""
    place = ReplacedFile(directories.of(path), path)
    facts = place.facts()
    if facts is not None and stat.S_ISLNK(facts.st_mode):
        with _writable(place.directory):
            place.link(target, facts)


@contextlib.contextmanager
def _writable(directory: int) -> Iterator[None]:
    """Let this user write to an open directory, and put its mode and times back afterwards."""
    facts = os.fstat(directory)
    closed = not facts.st_mode & stat.S_IWUSR
    if closed:
        os.fchmod(directory, stat.S_IMODE(facts.st_mode) | stat.S_IWUSR)
    try:
        yield
    finally:
        if closed:
            os.fchmod(directory, stat.S_IMODE(facts.st_mode))
        os.utime(directory, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def write_patched(descriptor: int, buffer: Buffer, plan: FilePlan, *, synced: bool = True) -> None:
    """Write the changed content to a new file; `synced`: it is on the disk then. Raises OSError."""
    _write_all(descriptor, pieces(plan, buffer))
    if synced:
        os.fsync(descriptor)


def _write_all(descriptor: int, parts: list[bytes | memoryview]) -> None:
    """Write parts one after the other, many by one system call."""
    for at in range(0, len(parts), _MANY):
        group = parts[at : at + _MANY]
        done = os.writev(descriptor, group)
        if done == sum(map(len, group)):
            continue
        for part in group:
            for start in range(min(done, len(part)), len(part), _PIECE):
                _write_rest(descriptor, memoryview(part)[start : start + _PIECE])
            done = max(0, done - len(part))


def _write_rest(descriptor: int, part: memoryview) -> None:
    while part:
        part = part[os.write(descriptor, part) :]


def _copy_into(source: int, place: ReplacedFile, facts: os.stat_result) -> tuple[str, ...]:
    """Write an open file's content into the file of a place, which must be the one with these facts.

    Return the attributes that the file loses by it.
    """
    try:
        with place.opened(os.O_WRONLY) as written, naming(place.path):
            place.must_be(written, facts)
            _overwrite(source, written)
            return give_back_attributes(source, written, facts)
    except OSError as problem:
        if problem.errno == errno.ETXTBSY:
            raise FileBusy(place.path) from problem
        raise


def _overwrite(source: int, target: int) -> None:
    """Write an open file's content into another, longer parts first so that a full disk changes nothing."""
    size = os.fstat(source).st_size
    if size:
        os.posix_fallocate(target, 0, size)
    os.lseek(source, 0, os.SEEK_SET)
    while piece := os.read(source, _PIECE):
        _write_rest(target, memoryview(piece))
    os.ftruncate(target, size)
    os.fsync(target)
