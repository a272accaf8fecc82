"""Files of packages that were brought while a program runs: shown to it at once, and to its next starts.

A library finds its data at paths that were compiled in. The process that misses the library is in its
namespace by now, in which denizen can mount nothing more; but where a directory was mirrored the mirror is
denizen's own file system, and links can be made in it. Without a namespace the library inside the program
looks into a tree of links (launch/resources/resource_tree.py), which is extended. For the next start the
decision gets the mounts.
"""

from __future__ import annotations

import contextlib
import os

from denizen.disk_view import DiskView
from denizen.launch.decisions.program_identity import identity_name
from denizen.launch.fast_path import read_decision
from denizen.launch.resources.fixed_paths import fixed_path_resources
from denizen.launch.resources.resource_tree import lay_system, show_by_links, show_in_tree, whole_systems
from denizen.launch.strategies.namespace_plan import bind_resources
from denizen.launch.sysroot import is_sysroot
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.formats.mountinfo import Mount
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.decisions.decision_store import DecisionStore
    from denizen.launch.resources.fixed_paths import FixedPathResource

# The end of a command of `denizen-enter`; the program follows.
_END = b"--"
# loader/enter/mounts.c, mounts_make_tmpfs: the name of the file systems that mirrors are.
_MIRROR = (b"tmpfs", b"denizen")
# Bytes of a directory whose files are copied into a mirror, which is memory.
_MAX_COPIED = 8_000_000


def show_files(
    decision_store: DecisionStore,
    decision: Decision,
    trees: Sequence[bytes],
    besides: Sequence[FixedPathResource] = (),
) -> None:
    """Show what package trees have at fixed paths that the host lacks, and the files `besides`.

    Raises OSError.
    """
    systems = whole_systems(trees)
    found = fixed_path_resources(DiskView(), [one for one in trees if one not in systems])
    shown = {one.target for one in found}
    files = (*found, *(one for one in besides if one.target not in shown))
    if not files and not systems:
        return
    # Another library may have come since this decision was read.
    current = (
        read_decision(os.path.join(decision_store.directory, identity_name(decision.identity))) or decision
    )
    later = _with_mounts(current, files)
    if later is not None:
        objects = tuple(dict.fromkeys((*later.objects, *trees)))
        decision_store.write(replace(later, objects=objects), movable=False)
    tree = decision_store.resource_tree(decision.identity)
    looked_into, mounts = os.path.isdir(tree), _mounts()
    for system in systems if looked_into else ():
        lay_system(tree, system)
    for one in files:
        if looked_into:
            with contextlib.suppress(FileExistsError, NotADirectoryError):
                show_in_tree(tree, one)
        elif _is_mirrored(os.path.dirname(one.target), mounts):
            _link(one.target, one.source, copied=_MAX_COPIED)


def shows_files(decision_store: DecisionStore, decision: Decision) -> bool:
    """Tell whether files could be shown to the running program: it has mirrors, or a tree it looks in."""
    return _stage(decision) != b"" or os.path.isdir(decision_store.resource_tree(decision.identity))


def is_mirrored_here() -> bool:
    """Tell whether this process is in a namespace in which files can be shown. Raises OSError."""
    return any(map(_is_mirror, _mounts().values()))


def makes_mirrors(decision: Decision) -> bool:
    """Tell whether a start by this decision makes a namespace in which files can be shown."""
    return _stage(decision) != b""


def is_hosts_own(path: bytes, store: bytes) -> bool:
    """Tell whether the host has a path, and denizen does not show something of its store there.

    What is shown is a link into the store, lies in a mirror, or is bound from the store.
    """
    real = os.path.realpath(path)
    if not os.path.exists(path) or real.startswith(store):
        return False
    mount = _mount_of(real, _mounts())
    return not _is_mirror(mount) and b"/%b/" % os.path.basename(store.rstrip(b"/")) not in mount.root


def _with_mounts(decision: Decision, files: Sequence[FixedPathResource]) -> Decision | None:
    """Return the decision with the files in its namespace; None if it makes no namespace with mirrors.

    A sysroot that is made anew has the files of the decision's objects.
    """
    if is_sysroot(decision.resources):
        return decision
    command, stage = decision.command, _stage(decision)
    if not stage:
        return None
    steps = bind_resources(DiskView(), files, command, stage)
    return replace(decision, command=(*command[:-1], *steps, _END))


def _stage(decision: Decision) -> bytes:
    """Return where the decision's namespace makes its mirrors; b"" if it makes none.

    That of an emulated program has mirrors for commands alone: its files are below its sysroot.
    """
    command = decision.command
    if is_sysroot(decision.resources) or not command or command[-1] != _END or b"private" not in command:
        return b""
    return next((command[at + 2] for at, word in enumerate(command) if word == b"mirror"), b"")


def _link(path: bytes, source: bytes, *, copied: int = 0) -> None:
    """Show what a package has, and make the directories above it; what is there stays."""
    with contextlib.suppress(FileExistsError, NotADirectoryError):
        os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
        show_by_links(path, source, copied=copied)


def _mounts() -> dict[bytes, Mount]:
    """Return the mounts of this process, by their mount points."""
    from denizen.formats.mountinfo import read_mountinfo

    with open("/proc/self/mountinfo", "rb") as stream:
        return {one.point: one for one in read_mountinfo(stream.read())}


def _is_mirror(mount: Mount) -> bool:
    return (mount.kind, mount.source) == _MIRROR


def _is_mirrored(directory: bytes, mounts: dict[bytes, Mount]) -> bool:
    """Tell whether a directory, or what of its path there is, lies in a mirror of denizen's."""
    while not os.path.lexists(directory):
        directory = os.path.dirname(directory)
    return _is_mirror(_mount_of(os.path.realpath(directory), mounts))


def _mount_of(path: bytes, mounts: dict[bytes, Mount]) -> Mount:
    above = [one for one in mounts if one in (b"/", path) or path.startswith(one + b"/")]
    return mounts[max(above, key=len)]
