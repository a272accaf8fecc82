"""Objects that running processes use, found in /proc.

A process needs an object if its hash stands in the links `exe`, `cwd`, `root` and `fd/*`, in the names of
its mapped files, or in its environment (proc(5)). Hashes are looked for, not paths, so it does not matter
where a process believes the store to be.

Processes that cannot be read: a process that has ended, whether or not its parent has waited for it, uses
nothing; where only its first thread has ended, the other threads are read. A process of ours that the
kernel should let us read, but does not, stops the collection (docs/store.md, invariant 4). A process that
the kernel does not let us read (another user's, one that made itself unreadable as ssh-agent does, one
with capabilities that we lack, one outside our user namespace) is counted and skipped: otherwise an
ordinary user could hardly ever collect. Files such a process has open or mapped stay usable to it after
they are unlinked; only files it would open later are lost, unless a root keeps them. A collection by root
with CAP_SYS_PTRACE reads every process.
"""

from __future__ import annotations

import errno
import os

from denizen.disk import DENIED
from denizen.errors import HostLacks, display
from denizen.nar.codec import MAX_DEPTH
from denizen.store.trees.reference_scanner import mentioned, runs_in
from denizen.value import Value

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
# States of a process that has ended: zombie and dead (proc_pid_stat(5)).
_ENDED = frozenset({b"Z", b"X"})
# uid_map of the initial user namespace, which maps every user to itself.
_EVERYBODY = [b"0", b"0", b"4294967295"]
_OPEN_DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_CHUNK = 1024 * 1024


class ProcessUnreadable(HostLacks):
    """A process of ours cannot be read, so the objects it needs cannot be determined."""

    path: bytes
    code: int

    @property
    def what(self) -> str:
        return f"cannot tell what process {display(os.path.basename(self.path))} needs of the store"

    @property
    def why(self) -> str:
        return f"{os.strerror(self.code)}: {display(self.path)}; collecting could delete what it uses"


class ProcessCensus(Value):
    """The objects that processes use.

    Attributes:
        held: for each mentioned hash, one of the places in /proc that mention it.
        unseen: number of other users' processes that could not be read.
    """

    held: dict[bytes, bytes]
    unseen: int


def held_by_processes(digests: Iterable[bytes], proc: bytes = PROC) -> ProcessCensus:
    """Return which of the hash parts `digests` running processes mention; `proc` is the directory to read.

    Raises:
        ProcessUnreadable: one of our own processes cannot be read.
    """
    wanted = frozenset(digests)
    held: dict[bytes, bytes] = {}
    unseen = 0
    for number in os.listdir(proc):
        if number.isdigit() and not _look_into(b"%b/%b" % (proc, number), wanted, held):
            unseen += 1
    return ProcessCensus(held, unseen)


def _look_into(process: bytes, digests: AbstractSet[bytes], held: dict[bytes, bytes]) -> bool:
    """Add the hashes that one process mentions to `held`.

    Return False if the kernel does not let us read it.
    """
    try:
        seen = _look_at(process, digests, held)
    except ProcessUnreadable:
        # Refused during its execve(2) or a change of its user, which is over by now.
        seen = _look_at(process, digests, held)
    if not _has_ended(process):
        return seen
    threads = [b"%b/task/%b" % (process, one) for one in _if_there(os.listdir, process + b"/task") or ()]
    # A list, not a generator: every thread is read even after one could not be.
    answers = [_look_at(thread, digests, held) or _has_ended(thread) for thread in threads]
    return all(answers)


def _look_at(process: bytes, digests: AbstractSet[bytes], held: dict[bytes, bytes]) -> bool:
    """Add the hashes mentioned in one directory of /proc, of a process or a thread, to `held`.

    Returns False if the kernel does not let us read it. Raises ProcessUnreadable.
    """
    try:
        descriptors = _if_there(os.listdir, process + b"/fd") or ()
        for name in (*_LINKS, *(b"fd/" + number for number in descriptors)):
            place = b"%b/%b" % (process, name)
            _note(_if_there(target_of, place), digests, held, place)
        for name in _TEXTS:
            _note(_if_there(_read, b"%b/%b" % (process, name)), digests, held, b"%b/%b" % (process, name))
    except OSError as error:
        if error.errno in DENIED and not _is_ours(process):
            return False
        raise ProcessUnreadable(process, error.errno or 0) from error
    return True


def _if_there(question: Callable[[bytes], T], path: bytes) -> T | None:
    """Return question(path), or None where the process, or the file it had open, has gone."""
    try:
        return question(path)
    except OSError as error:
        if error.errno in _GONE:
            return None
        raise


def target_of(link: bytes) -> bytes:
    """Return where a link of /proc leads; for a directory too far down, one above it that can be told.

    The kernel tells no path longer than a page (d_path, fs/d_path.c). Where a file lies in that deep cannot
    be asked at all; it stays usable to the process that has it open.
    """
    try:
        return os.readlink(link)
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
    try:
        directory = os.open(link, _OPEN_DIRECTORY)
    except NotADirectoryError:
        return b""
    try:
        return _told_above(directory)
    finally:
        os.close(directory)


def _told_above(directory: int) -> bytes:
    """Return the path of the deepest directory above `directory` that the kernel tells.

    Returns nothing where MAX_DEPTH steps lead to none: no object has that many directories in one another.
    """
    steps = b"/".join([b".."] * MAX_DEPTH)
    for depth in range(1, MAX_DEPTH + 1):
        above = os.open(steps[: 3 * depth], _OPEN_DIRECTORY, dir_fd=directory)
        try:
            return os.readlink(b"/proc/self/fd/%d" % above)
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
        finally:
            os.close(above)
    return b""


def _note(text: bytes | None, digests: AbstractSet[bytes], held: dict[bytes, bytes], place: bytes) -> None:
    for found in mentioned_in(text or b"", digests):
        held.setdefault(found, place)


def mentioned_in(text: bytes, digests: AbstractSet[bytes]) -> set[bytes]:
    """Return the members of `digests` that occur in `text`."""
    return {found for run in runs_in(text) for found in mentioned(run, digests)}


def _read(path: bytes) -> bytes:
    with open(path, "rb", buffering=0) as stream:
        pieces = []
        while piece := stream.read(_CHUNK):
            pieces.append(piece)
        return b"".join(pieces)


def _has_ended(process: bytes) -> bool:
    """Return whether a process or thread has ended, waited for or not (proc_pid_stat(5), state)."""
    facts = _if_there(_read, process + b"/stat")
    return not facts or facts.rpartition(b")")[2].split()[0] in _ENDED


def _is_ours(process: bytes) -> bool:
    """Return whether the kernel should let us read a process's files.

    The kernel makes the files of a process belong to the user who may read them, and to root where none may
    (proc(5)); the process's own directory always belongs to the process's user. This does not tell for root,
    nor in a user namespace, where processes outside it have the same user, nor for a process with
    capabilities that we lack (ptrace(2), access mode checking).
    """
    try:
        owner = os.stat(process + b"/fd").st_uid
        more = _capabilities(process) & ~_capabilities(PROC + b"/self")
    except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile; the latter is what a read(2) says
        return False
    return owner == os.geteuid() != 0 and not more and _read(PROC + b"/self/uid_map").split() == _EVERYBODY


def _capabilities(process: bytes) -> int:
    """Return the bit set of capabilities a process may make effective (CapPrm)."""
    for line in _read(process + b"/status").splitlines():
        if line.startswith(b"CapPrm:"):
            return int(line.split()[1], 16)
    return 0
