"""What running processes hold of the store, from /proc.

A process needs an object if its hash stands in the links `exe`, `cwd`, `root` and `fd/*`, in the names of
its mapped files, or in its environment (proc(5)). Hashes are looked for, not paths, so it does not matter
where a process believes the store to be.

What cannot be read: a process that ends meanwhile, or has ended and not been waited for, holds nothing; where
only its first thread has ended, the others are asked. A process that is ours and may be looked into, but
cannot be read, stops the collection (invariant 4). A process that the kernel does not let us look into
(another user's, one that made itself unreadable as ssh-agent does, one with capabilities that we lack, one
outside our user namespace) is counted and passed over: hardly anyone could ever collect otherwise. What
such a process has open or mapped stays usable to it, for unlinked files live as long as they are open; only
what it would open later is lost, unless a root keeps it. A collection by root with CAP_SYS_PTRACE sees every
process.
"""

from __future__ import annotations

import errno
import os

from denizen.errors import HostLacks, display
from denizen.store.trees.references import mentioned, runs_in
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from collections.abc import Set as AbstractSet
    from typing import TypeVar

    T = TypeVar("T")

PROC = b"/proc"
_LINKS = (b"exe", b"cwd", b"root")
_TEXTS = (b"maps", b"environ")
_GONE = frozenset({errno.ENOENT, errno.ESRCH})
_DENIED = frozenset({errno.EACCES, errno.EPERM})
# States of what has ended: zombie and dead.
_ENDED = frozenset({b"Z", b"X"})
# The map of the first user namespace, in which every user is who he is.
_EVERYBODY = [b"0", b"0", b"4294967295"]
_CHUNK = 1024 * 1024


class ProcessUnreadable(HostLacks):
    """A process of ours cannot be looked into, so what it needs cannot be told."""

    path: bytes
    code: int

    @property
    def what(self) -> str:
        return f"cannot tell what process {display(os.path.basename(self.path))} needs of the store"

    @property
    def why(self) -> str:
        return f"{os.strerror(self.code)}: {display(self.path)}; collecting could delete what it uses"


@value
class ProcessCensus:
    """What the processes hold.

    Attributes:
        held: for each mentioned hash, one of the places in /proc that mention it.
        unseen: processes of others that could not be looked into.
    """

    held: dict[bytes, bytes]
    unseen: int


def held_by_processes(digests: Iterable[bytes], proc: bytes = PROC) -> ProcessCensus:
    """Which of `digests` a running process mentions.

    Raises:
        ProcessUnreadable: one of our own cannot be read.
    """
    wanted = frozenset(digests)
    held: dict[bytes, bytes] = {}
    unseen = 0
    for number in os.listdir(proc):
        if number.isdigit() and not _look_into(b"%b/%b" % (proc, number), wanted, held):
            unseen += 1
    return ProcessCensus(held, unseen)


def _look_into(process: bytes, digests: AbstractSet[bytes], held: dict[bytes, bytes]) -> bool:
    """Note what one process mentions; False if it is another's and cannot be read."""
    try:
        seen = _look_at(process, digests, held)
    except ProcessUnreadable:
        # Refused while it was becoming another program, or another user: that is over now.
        seen = _look_at(process, digests, held)
    if not _has_ended(process):
        return seen
    threads = [b"%b/task/%b" % (process, one) for one in _if_there(os.listdir, process + b"/task") or ()]
    # All of them, whatever one says.
    answers = [_look_at(thread, digests, held) or _has_ended(thread) for thread in threads]
    return all(answers)


def _look_at(process: bytes, digests: AbstractSet[bytes], held: dict[bytes, bytes]) -> bool:
    """As `_look_into`, for a directory of /proc that describes a process, or a thread of one."""
    try:
        for name in _LINKS:
            _note(
                _if_there(os.readlink, b"%b/%b" % (process, name)), digests, held, b"%b/%b" % (process, name)
            )
        for name in _if_there(os.listdir, process + b"/fd") or ():
            place = b"%b/fd/%b" % (process, name)
            _note(_if_there(os.readlink, place), digests, held, place)
        for name in _TEXTS:
            _note(_if_there(_read, b"%b/%b" % (process, name)), digests, held, b"%b/%b" % (process, name))
    except OSError as error:
        if error.errno in _DENIED and not _is_ours(process):
            return False
        raise ProcessUnreadable(process, error.errno or 0) from error
    return True


def _if_there(question: Callable[[bytes], T], path: bytes) -> T | None:
    """The answer, or None where the process, or the file it had open, has gone."""
    try:
        return question(path)
    except OSError as error:
        if error.errno in _GONE:
            return None
        raise


def _note(text: bytes | None, digests: AbstractSet[bytes], held: dict[bytes, bytes], place: bytes) -> None:
    for found in mentioned_in(text or b"", digests):
        held.setdefault(found, place)


def mentioned_in(text: bytes, digests: AbstractSet[bytes]) -> set[bytes]:
    """Which of `digests` stand in a text."""
    return {found for run in runs_in(text) for found in mentioned(run, digests)}


def _read(path: bytes) -> bytes:
    with open(path, "rb", buffering=0) as stream:
        pieces = []
        while piece := stream.read(_CHUNK):
            pieces.append(piece)
        return b"".join(pieces)


def _has_ended(process: bytes) -> bool:
    """Whether a process, or thread, has ended: it may not have been waited for (proc_pid_stat(5), state)."""
    facts = _if_there(_read, process + b"/stat")
    return not facts or facts.rpartition(b")")[2].split()[0] in _ENDED


def _is_ours(process: bytes) -> bool:
    """Whether the kernel should let us look into a process.

    It gives the files of a process to the user who may, and to root where none may (proc(5)); but not the
    directory itself, which is the process's own user's always. For root that says nothing, nor does it
    in a user namespace, where processes outside it have the same user, nor of a process with
    capabilities that we have not (ptrace(2), access mode checking).
    """
    try:
        owner = os.stat(process + b"/fd").st_uid
        more = _capabilities(process) & ~_capabilities(PROC + b"/self")
    except FileNotFoundError:
        return False
    return owner == os.geteuid() != 0 and not more and _read(PROC + b"/self/uid_map").split() == _EVERYBODY


def _capabilities(process: bytes) -> int:
    """The capabilities a process may make effective."""
    for line in _read(process + b"/status").splitlines():
        if line.startswith(b"CapPrm:"):
            return int(line.split()[1], 16)
    return 0
