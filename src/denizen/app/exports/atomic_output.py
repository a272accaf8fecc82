"""Results that appear complete or not at all: written beside their place, synced, renamed."""

from __future__ import annotations

import contextlib
import os
import shutil

from denizen.disk import OPEN_NEW, sync_directory, temporary_name
from denizen.errors import BadInput
from denizen.output_place import check_output_directory, check_output_file, writing_output
from denizen.store.errors import doing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO


class AlreadyThere(BadInput):
    """The error that something is where a directory is to be made."""

    path: bytes
    WHAT = "{path} is there already"
    REMEDY = "remove it, or name another directory"


@contextlib.contextmanager
def staged_file(target: bytes) -> Iterator[BinaryIO]:
    """Open a file that replaces `target` when the context ends without an error.

    Raises DiskFailed, NoRoomForOutput. Also as `check_output_file`.
    """
    check_output_file(target)
    temporary = temporary_name(target)
    with doing("write", target), writing_output(target):
        try:
            # New: in /tmp another user may have put a link at its name.
            with open(os.open(temporary, OPEN_NEW, 0o666), "wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            os.rename(temporary, target)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
            raise
        sync_directory(os.path.dirname(target) or b".")


@contextlib.contextmanager
def staged_directory(target: bytes) -> Iterator[bytes]:
    """Make a directory that becomes `target`, which must not be there.

    Raises AlreadyThere, DiskFailed, NoRoomForOutput. Also as `check_output_directory`.
    """
    if os.path.lexists(target):
        raise AlreadyThere(target)
    check_output_directory(target)
    temporary = temporary_name(target)
    with doing("write", target), writing_output(target):
        os.mkdir(temporary, 0o755)
        try:
            yield temporary
            os.rename(temporary, target)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
