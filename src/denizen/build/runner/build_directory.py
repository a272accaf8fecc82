"""The directories of one build, and what lies in them before the builder starts.

They lie below one temporary tree of the operation, which nobody else can enter, on the store's own file
system: outputs become objects by a rename. Whatever ends the operation, the tree is removed, by a
collection at last.
"""

from __future__ import annotations

import os

from denizen.build.runner.sandbox_plan import BuildRoom
from denizen.disk import OPEN_NEW

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def make_room(tree: bytes) -> BuildRoom:
    """Make the directories of a build below `tree`. Raises OSError."""
    room = BuildRoom(tree + b"/build", tree + b"/store", tree + b"/tmp", tree + b"/root")
    os.mkdir(tree, 0o700)
    for place in (room.build, room.stage):
        os.mkdir(place, 0o700)
    os.mkdir(room.outputs)
    os.chmod(room.outputs, 0o1775)  # noqa: S103  # as Nix has it; the directory around it is ours alone
    os.mkdir(room.scratch)
    os.chmod(room.scratch, 0o1777)  # noqa: S103  # the sandbox's /tmp, in a directory that is ours alone
    return room


def write_files(directory: bytes, files: Mapping[bytes, bytes]) -> None:
    """Write files into the build directory. Raises OSError."""
    for name, content in files.items():
        descriptor = os.open(b"%b/%b" % (directory, name), OPEN_NEW, 0o644)
        with open(descriptor, "wb") as stream:
            stream.write(content)


def keep_build(room: BuildRoom, directory: bytes, name: str) -> bytes:
    """Move a failed build's directory to an unused name in `directory`, and return its path.

    Raises OSError.
    """
    place = unused_directory(directory, b"denizen-build-" + name.encode("ascii"))
    _moved(room.build, place + b"/build")
    return place


def unused_directory(parent: bytes, stem: bytes) -> bytes:
    """Make a directory that nobody else can enter, with an unused name in `parent`. Raises OSError."""
    number = 0
    while True:
        place = b"%b/%b-%d" % (parent, stem, number)
        try:
            os.mkdir(place, 0o700)
        except FileExistsError:
            number += 1
        else:
            return place


def _moved(source: bytes, target: bytes) -> None:
    try:
        os.rename(source, target)
    except OSError:
        # Another file system: copied, and the original goes with the operation.
        import shutil

        shutil.copytree(os.fsdecode(source), os.fsdecode(target), symlinks=True)
