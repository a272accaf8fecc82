"""Places of files that a user asks for, as by `-o FILE`: what may be replaced there, and what is refused."""

from __future__ import annotations

import errno
import os
import stat as stat_module

from denizen.contexts import contextmanager
from denizen.disk import FULL, write_atomically
from denizen.disk_view import is_permitted
from denizen.errors import HostLacks, shell_word
from denizen.fileview import MAX_LINKS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class NotReplaced(HostLacks):
    """The error that a file is to be written where a device is, which root would take from everybody."""

    path: bytes
    WHAT = "{path} is not replaced by a file"
    WHY = "it is a device, a pipe or a socket, or a link of the kernel's to an open file"
    REMEDY = "give the name of a file"


class NoDirectoryForOutput(HostLacks):
    """The error that there is no directory for a file that is to be written."""

    path: bytes
    directory: bytes
    WHAT = "{path} cannot be written"
    WHY = "there is no directory {directory}"

    @property
    def remedy(self) -> str:
        return f"mkdir -p {shell_word(self.directory)}"


class OutputNotPermitted(HostLacks):
    """The error that the directory of a file that is to be written takes no new files of this user's.

    A file is written beside its place first, so a permission to write to the file alone does not do.
    """

    path: bytes
    directory: bytes
    reason: str
    WHAT = "{path} cannot be written"
    WHY = "no file can be made in {directory}: {reason:text}"
    REMEDY = "name a file in a directory of your own"


class NoRoomForOutput(HostLacks):
    """The error that the disk of a file that is to be written is full, or the user's quota.

    What is collected from the store frees room on another disk, mostly.
    """

    path: bytes
    directory: bytes
    reason: str
    WHAT = "{path} cannot be written"
    WHY = "{reason:text}"
    REMEDY = "free room on the disk of {directory}, or name a place on another"


class IsDirectory(HostLacks):
    """The error that a file is to be written where a directory is."""

    path: bytes
    WHAT = "{path} cannot be written"
    WHY = "it is a directory"
    REMEDY = "give the name of a file"


def check_output_file(path: bytes) -> None:
    """Raise an error if no file can be put at a place that the user named, before what it is for takes time.

    A link to a file is replaced by the file that is written, never followed.

    Raises:
        NotReplaced: there is what is no file, such as /dev/null or /dev/stdout.
        IsDirectory: there is a directory.
        NoDirectoryForOutput, OutputNotPermitted: as `check_output_directory`.
    """
    # First: /dev/null is no file to replace, whether or not this user may write to /dev.
    _check_replaceable(path)
    check_output_directory(path)


def _check_replaceable(path: bytes) -> None:
    """Raise NotReplaced or IsDirectory if what is at a path is no file, nor a link to one."""
    if _leads_into_proc(path):
        raise NotReplaced(path)
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return  # absent, or reported when it is written
    if stat_module.S_ISDIR(mode):
        if not os.path.islink(path):
            raise IsDirectory(path)
    elif not stat_module.S_ISREG(mode):
        raise NotReplaced(path)


def _leads_into_proc(path: bytes) -> bool:
    """Return whether a path, or one of the links that it leads through, lies in /proc.

    Where such a link leads says too little: that to an open file is read as the file's own name.
    """
    for _ in range(MAX_LINKS):
        directory = os.path.realpath(os.path.dirname(path) or b".")
        place = os.path.join(directory, os.path.basename(path))
        if place.startswith(b"/proc/"):
            return True
        try:
            path = os.path.join(directory, os.readlink(place))
        except OSError:
            return False  # no link
    return False


def check_output_directory(path: bytes) -> None:
    """Raise NoDirectoryForOutput or OutputNotPermitted if nothing can be made beside a path."""
    directory = os.path.dirname(path.rstrip(b"/")) or b"."
    if not os.path.isdir(directory):
        raise NoDirectoryForOutput(path, directory)
    if not is_permitted(directory, os.W_OK | os.X_OK):
        read_only = os.statvfs(directory).f_flag & os.ST_RDONLY
        raise OutputNotPermitted(path, directory, os.strerror(errno.EROFS if read_only else errno.EACCES))


@contextmanager
def writing_output(path: bytes) -> Iterator[None]:
    """Turn an OSError of a full disk raised inside into a NoRoomForOutput about `path`."""
    try:
        yield
    except OSError as problem:
        if problem.errno in FULL:
            raise no_room(path, problem) from problem
        raise


def no_room(path: bytes, problem: OSError) -> NoRoomForOutput:
    """Return the error for a system call that found no room for the file `path`."""
    directory = os.path.dirname(path.rstrip(b"/")) or b"."
    return NoRoomForOutput(path, directory, problem.strerror or str(problem))


def write_output(path: bytes, content: bytes, *, mode: int = 0o644) -> None:
    """Put `content` at `path`, which the user named, as `write_atomically`.

    Raises NoRoomForOutput, OSError.
    """
    with writing_output(path):
        write_atomically(path, content, mode=mode)
