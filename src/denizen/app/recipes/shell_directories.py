"""The directories of shells, below the cache: one for each project, with what its shell leaves there.

    develop-<digest of the file's path>/.project   the path of the recipe or denizen.toml
                                        <object>   a link for each object that is kept for the shell
                                        bin, commands, build, out, debug and their like

A directory goes with its project, or when nobody has used it for long; then its objects go, too. What is
compiled in the project's own directory refers to packages, which `denizen develop` brings again.
"""

from __future__ import annotations

import contextlib
import os
import time

from denizen.disk import make_directories, write_atomically
from denizen.sha256 import hex_digest_of
from denizen.store.collection.gc_roots import remove_indirect
from denizen.store.collection.remove import remove_path
from denizen.store.errors import doing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.app.session import Session
    from denizen.store.local import Store

# What their names begin with.
SHELLS = b"develop-"
_PROJECT = b".project"
_MAX_PATH = 4096


def shell_directory(session: Session, file: str) -> str:
    """Return the directory of the shell of a recipe or project file, made if there is none; note its use."""
    digest = hex_digest_of(os.fsencode(file))[:32].encode("ascii")
    directory = os.path.join(session.paths.cache, SHELLS + digest)
    with doing("make", directory):
        make_directories(directory)
        write_atomically(os.path.join(directory, _PROJECT), os.fsencode(file) + b"\n")
    return os.fsdecode(directory)


def kept_by_shells(cache: bytes) -> set[str]:
    """Return the names of the objects that shells' directories keep."""
    return {os.fsdecode(os.path.basename(link)) for one in _directories(cache) for link in _links(one)}


def drop_unused_shells(session: Session, store: Store, grace: int, gone: int) -> int:
    """Remove directories of shells that were not used for `grace` seconds; return their number.

    `gone` seconds do for one whose project is not there. One that a process works in stays.

    Raises DiskFailed.
    """
    now = time.time()
    dropped = 0
    for directory in list(_directories(session.paths.cache)):
        with doing("remove", directory):
            unused = now - _used(directory)
            if unused <= min(grace, gone) or (unused <= grace and _has_project(directory)):
                continue
            if _is_worked_in(directory):
                continue
            for link in _links(directory):
                remove_indirect(store.layout, link)
            remove_path(directory)
            dropped += 1
    return dropped


def _directories(cache: bytes) -> Iterator[bytes]:
    with contextlib.suppress(FileNotFoundError):
        for entry in os.scandir(cache):
            if entry.name.startswith(SHELLS) and entry.is_dir(follow_symlinks=False):
                yield entry.path


def _links(directory: bytes) -> list[bytes]:
    return [entry.path for entry in os.scandir(directory) if entry.is_symlink()]


def _used(directory: bytes) -> float:
    """Return when the directory was last used, in seconds since 1970: begun, or a tree in it changed."""
    times = [entry.stat(follow_symlinks=False).st_mtime for entry in os.scandir(directory)]
    return max([os.stat(directory).st_mtime, *times])


def _has_project(directory: bytes) -> bool:
    """Tell whether the project's file is there; one of which nothing is known counts as there."""
    try:
        with open(os.path.join(directory, _PROJECT), "rb") as stream:
            return os.path.exists(stream.read(_MAX_PATH).removesuffix(b"\n"))
    except FileNotFoundError:
        return True


def _is_worked_in(directory: bytes) -> bool:
    """Tell whether a process that can be looked into has its working directory there."""
    for name in os.listdir(b"/proc"):
        with contextlib.suppress(OSError):
            place = os.readlink(b"/proc/%b/cwd" % name) if name.isdigit() else b""
            if place == directory or place.startswith(directory + b"/"):
                return True
    return False
