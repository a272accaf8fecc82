"""A plain chroot for root: an environment's root mounted at a directory, visible to all processes.

Everything lies below one file system that is mounted there: to unmount it removes all, so that no mount is
left behind after an error.
"""

from __future__ import annotations

import os
import subprocess

from denizen.errors import DenizenError, HostLacks
from denizen.fhs.entry_command import entry_of
from denizen.fhs.generations import users
from denizen.fhs.mounts import standing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.fhs.entry_command import Inside

_MARK = b"/.denizen/environment"
# Mounts can be stacked at one directory; those made here are unmounted until none is left.
_MAX_STACKED = 16


class NotMounted(HostLacks):
    """The error that the kernel refused to mount or unmount."""

    place: bytes
    problem: str
    WHAT = "{place} cannot be mounted as a chroot, or unmounted"
    WHY = "{problem:text}"
    REMEDY = "only root may mount; denizen fhs enter needs no root where user namespaces are allowed"


class Occupied(DenizenError):
    """The error that a directory holds other files, or that a process is in it."""

    place: bytes
    reason: str
    WHAT = "{place} is not free"
    WHY = "{reason:text}"


def mount(inside: Inside) -> bool:
    """Mount the root at `inside.stage`; return False if it is mounted already.

    Raises:
        Occupied: the directory has other content.
        NotMounted: the kernel refused; nothing is left mounted.
    """
    place = inside.stage
    if _is(place, inside.tree):
        return False
    if os.path.ismount(place) or os.listdir(place):
        raise Occupied(place, "an empty directory is wanted, on which nothing is mounted")
    problem = _carried_out([inside.enter, *standing(entry_of(inside))])
    if problem:
        if os.path.ismount(place):
            _carried_out([inside.enter, b"detach", place, b"check"])
        raise NotMounted(place, problem)
    return True


def umount(place: bytes, enter: bytes) -> bool:
    """Unmount the roots that `mount` made at a directory; return whether there was one.

    Raises:
        Occupied: processes are in it.
        NotMounted: the kernel refused.
    """
    found = False
    for _ in range(_MAX_STACKED):
        if not (os.path.ismount(place) and os.path.isdir(place + _MARK)):
            break
        inside = sorted(users(place + _MARK))
        if inside:
            raise Occupied(place, f"the processes {', '.join(map(str, inside))} are in it")
        problem = _carried_out([enter, b"detach", place, b"check"])
        if problem:
            raise NotMounted(place, problem)
        found = True
    return found


def places(tree: bytes, mountinfo: bytes = b"/proc/self/mountinfo") -> list[bytes]:
    """Return the directories at which a tree is mounted by `mount`."""
    from denizen.formats.mountinfo import read_mountinfo

    name = os.path.basename(tree)
    with open(mountinfo, "rb") as stream:
        mounts = read_mountinfo(stream.read())
    ends = [one.point for one in mounts if name in one.root.split(b"/") and one.point.endswith(_MARK)]
    return [end.removesuffix(_MARK) for end in ends]


def _is(place: bytes, tree: bytes) -> bool:
    try:
        return os.path.ismount(place) and os.path.samefile(place + _MARK, tree)
    except OSError:
        return False


def _carried_out(command: Sequence[bytes]) -> str:
    """Run denizen-enter; return its error message, "" for none."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if not done.returncode:
        return ""
    return done.stderr.decode("utf-8", "replace").strip().removeprefix("denizen: ") or "it failed"
