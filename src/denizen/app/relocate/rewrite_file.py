"""Writing of a changed file: beside its place first, checked there, and only then put there.

A file with one name is replaced by a rename, so that whoever has it open keeps the old one. One with
several names (hard links) is written to in place, since a rename would leave the other names with the old
content. Its mode, owner and extended attributes are kept. What replaces a file is on the disk before it does;
a copy at a new place is not waited for, as no copying tool does: nothing is lost but what can be made again.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat

from denizen.disk import OPEN_NEW, PRIVATE, ST_BLOCK, DiskView, naming, sync_directory
from denizen.errors import HostLacks
from denizen.file_content import whole
from denizen.relocate.file_edits import pieces
from denizen.value import value

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
_OPEN_BOTH = OPEN_NEW & ~os.O_WRONLY | os.O_RDWR


class FileBusy(HostLacks):
    """The error that a file with several names is being executed: the kernel lets nobody write to it."""

    path: bytes
    WHAT = "{path} cannot be written to"
    WHY = "it has several names (hard links) and is being executed"
    REMEDY = "end the program, or write to another file with --output"


@value
class Rewritten:
    """The result: attributes of the file that could not be kept."""

    lost: tuple[str, ...] = ()


def rewrite(
    source: bytes, target: bytes, buffer: Buffer, plan: FilePlan, check: Callable[[bytes, Buffer], None]
) -> Rewritten:
    """Write the changed content of `source` to `target`, which may be the same file.

    Args:
        source: the path of the old file, for its attributes.
        target: the path of the new one; if there is a file, it is replaced.
        buffer: the old content.
        plan: the changes.
        check: called with the new file's path and content before it is put at `target`; raises if wrong.

    Raises:
        OSError: a system call failed. Also what `check` raises; `target` is as it was then.
    """
    facts = os.stat(source)
    temporary = _beside(target)
    replaces = os.path.lexists(target)
    in_place = not os.path.islink(target) and os.path.exists(target) and os.path.samefile(source, target)
    try:
        content = write_patched(temporary, buffer, plan, synced=replaces)
        lost = _keep_attributes(source, temporary, facts, whole=in_place)
        check(temporary, content)
        if in_place and facts.st_nlink > 1:
            _copy_into(temporary, target)
        else:
            os.rename(temporary, target)
    finally:
        if os.path.lexists(temporary):
            os.unlink(temporary)
    if replaces:
        sync_directory(os.path.dirname(target) or b".")
    return Rewritten(lost)


def _beside(path: bytes) -> bytes:
    """Return a name in the directory of a file; the file's own may be as long as names can be (255 bytes)."""
    directory, name = os.path.split(path)
    return b"%s/.%s.%d.tmp" % (directory or b".", name[:200], os.getpid())


def replace_content(path: bytes, content: bytes, others: tuple[bytes, ...] = ()) -> None:
    """Give a file another content; its mode, times and attributes stay. Raises OSError.

    `others` are its other names that get the content too. Where it has more names than these, it becomes two
    files, and those keep the old content. Directories that nobody may write to, as a store's, are opened for
    as long as it takes.
    """
    facts = os.stat(path)
    names = 1 + len(others)
    with _opened(os.path.dirname(path) or b"."):
        temporary = _beside(path)
        try:
            with naming(path), open(os.open(temporary, OPEN_NEW, 0o600), "wb") as stream:
                _write_content(stream.fileno(), content, sparse=facts.st_blocks * ST_BLOCK < facts.st_size)
            _keep_attributes(path, temporary, facts, whole=True)
            if facts.st_nlink == names > 1:
                os.chmod(path, facts.st_mode | stat.S_IWUSR)
                _copy_into(temporary, path)
                os.chmod(path, stat.S_IMODE(facts.st_mode))
                os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
            else:
                os.utime(temporary, ns=(facts.st_atime_ns, facts.st_mtime_ns))
                os.rename(temporary, path)
        finally:
            if os.path.lexists(temporary):
                os.unlink(temporary)
    for other in others if facts.st_nlink > names else ():
        with _opened(os.path.dirname(other) or b"."):
            temporary = _beside(other)
            os.link(path, temporary)
            os.rename(temporary, other)


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


def replace_link(path: bytes, target: bytes) -> None:
    """Let a symbolic link lead elsewhere; its time stays. Raises OSError."""
    facts, parent = os.lstat(path), os.path.dirname(path) or b"."
    with _opened(parent):
        temporary = _beside(path)
        os.symlink(target, temporary)
        os.utime(temporary, ns=(facts.st_atime_ns, facts.st_mtime_ns), follow_symlinks=False)
        os.rename(temporary, path)


@contextlib.contextmanager
def _opened(directory: bytes) -> Iterator[None]:
    """Let this user write to a directory, and put its mode and times back afterwards."""
    facts = os.stat(directory)
    closed = not facts.st_mode & stat.S_IWUSR
    if closed:
        os.chmod(directory, stat.S_IMODE(facts.st_mode) | stat.S_IWUSR)
    try:
        yield
    finally:
        if closed:
            os.chmod(directory, stat.S_IMODE(facts.st_mode))
        os.utime(directory, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def write_patched(
    path: bytes, buffer: Buffer, plan: FilePlan, *, synced: bool = True, mode: int = PRIVATE
) -> Buffer:
    """Write the changed content of a file, to a new one, and return that as the new file has it.

    `synced`: it is on the disk then. Raises OSError.
    """
    descriptor = os.open(path, _OPEN_BOTH, mode)
    try:
        with naming(path):
            _write_all(descriptor, list(pieces(plan, buffer)))
            if synced:
                os.fsync(descriptor)
            size = os.lseek(descriptor, 0, os.SEEK_CUR)
            os.lseek(descriptor, 0, os.SEEK_SET)
            return whole(descriptor, size, READ_UP_TO)
    finally:
        os.close(descriptor)


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


def _keep_attributes(source: bytes, target: bytes, facts: os.stat_result, *, whole: bool) -> tuple[str, ...]:
    """Give a file the attributes of another; return those that cannot be given.

    `whole`: with owner and set-user-ID, as for the same file; else as a copy has them.
    """
    lost = []
    mode = stat.S_IMODE(facts.st_mode)
    if whole and (facts.st_uid, facts.st_gid) != (os.geteuid(), os.getegid()):
        try:
            os.chown(target, facts.st_uid, facts.st_gid)
        except PermissionError:
            lost.append("owner")
            mode &= 0o777
    os.chmod(target, mode if whole else mode & 0o777)
    for name in os.listxattr(source):
        if not whole and name == "security.capability":
            continue
        try:
            os.setxattr(target, name, os.getxattr(source, name))
        except OSError as problem:
            if problem.errno not in (errno.EPERM, errno.EACCES, errno.ENOTSUP):
                raise
            lost.append(name)
    return tuple(lost)


def _copy_into(source: bytes, target: bytes) -> None:
    """Write the content of one file into another, longer parts first so that a full disk changes nothing."""
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as problem:
        if problem.errno == errno.ETXTBSY:
            raise FileBusy(target) from problem
        raise
    with naming(target), open(descriptor, "wb") as written, open(source, "rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        if size:
            os.posix_fallocate(descriptor, 0, size)
        while piece := stream.read(_PIECE):
            written.write(piece)
        written.truncate(size)
        written.flush()
        os.fsync(descriptor)
