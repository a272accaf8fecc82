"""The directories that bundles unpacked themselves to, collected by `denizen gc`.

The launcher looks for a place and unpacks once (docs/bundle.md, "Where it unpacks"), and deletes what no
start used for 30 days only when another bundle is unpacked (loader/unpack/collect.c). The same rules here: a
directory named like an image's hash, of this user alone, that no start has used since, and no process has
open or mapped; under the lock of the launcher's collection, which a start takes to note that it uses a
directory.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import stat
import time

from denizen.store.collection.cache_eviction import TrimmedEntries, size_on_disk
from denizen.store.collection.processes import target_of
from denizen.store.collection.remove import DIRECTORY, remove_tree
from denizen.store.errors import doing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.app.session import Session

# What a start or a collection that died left behind.
_LEFT_FOR = 86400
_OBJECT = re.compile(rb"[0-9a-f]{40}")
_LEFTOVER = re.compile(rb"\.[0-9a-f]{40}\..*")
# The launcher's places (loader/unpack/cache.c; a test compares): where a path begins, and what is below it;
# behind a dash comes the user's number.
PLACES = (
    ("$XDG_CACHE_HOME", "/denizen"),
    ("$HOME", "/.cache/denizen"),
    ("$TMPDIR", "/denizen-"),
    ("/var/tmp", "/denizen-"),  # noqa: S108  # only this user's are believed
    ("/tmp", "/denizen-"),  # noqa: S108
    ("/dev/shm", "/denizen-"),  # noqa: S108
)
_OTHERS_MAY_WRITE = 0o022
_LINKS = ("exe", "cwd")


def unpacked_places(session: Session) -> tuple[bytes, ...]:
    """Return the directories that bundles of this user unpack to, in the launcher's order."""
    found = []
    for start, below in PLACES:
        directory = session.environ.get(start[1:], "") if start.startswith("$") else start
        own = f"{below}{os.geteuid()}" if below.endswith("-") else below
        if directory.startswith("/"):
            found.append(os.fsencode(directory.rstrip("/") + own) + b"/bundles")
    return tuple(dict.fromkeys(found))


def collect_unpacked(session: Session, unused_for: int, *, keep: bool) -> TrimmedEntries:
    """Delete what no start has used for so many seconds; with `keep` it is only counted.

    With a root of its own (--root) nothing outside of it is touched.

    Raises:
        DiskFailed: something could not be unlinked.
    """
    places = unpacked_places(session) if session.root is None else ()
    done = [one for place in places for one in _collected(place, unused_for, keep=keep)]
    return TrimmedEntries(sum(counts for counts, _ in done), sum(size for _, size in done))


def _collected(place: bytes, unused_for: int, *, keep: bool) -> Iterator[tuple[int, int]]:
    """Yield for each directory that goes whether it counts as a bundle, and its size."""
    with contextlib.ExitStack() as stack:
        try:
            descriptor = os.open(place, DIRECTORY)
        except OSError:
            return
        stack.callback(os.close, descriptor)
        if not _is_own(os.fstat(descriptor)) or not _locked(descriptor):
            return
        stack.enter_context(doing("delete what bundles unpacked to", place))
        now = time.time()
        for name in sorted(os.listdir(os.fsencode(f"/proc/self/fd/{descriptor}"))):
            is_object = bool(_OBJECT.fullmatch(name))
            age = unused_for if is_object else _LEFT_FOR
            known = is_object or _LEFTOVER.fullmatch(name)
            if not known or not _is_old(descriptor, name, now - age):
                continue
            if is_object and is_used(place + b"/" + name):
                continue
            yield int(is_object), size_on_disk(place + b"/" + name) if keep else _removed(descriptor, name)


def _locked(descriptor: int) -> bool:
    """Take the lock of the launcher's collection; return False while another collects."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_own(facts: os.stat_result) -> bool:
    return facts.st_uid == os.geteuid() and not facts.st_mode & _OTHERS_MAY_WRITE


def _is_old(descriptor: int, name: bytes, used_before: float) -> bool:
    try:
        facts = os.lstat(name, dir_fd=descriptor)
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(facts.st_mode) and _is_own(facts) and facts.st_mtime < used_before


def _removed(descriptor: int, name: bytes) -> int:
    """Remove a directory, first under another name, so that a start finds it whole or not at all."""
    going = name if name.startswith(b".") else b"." + name + b".old"
    os.rename(name, going, src_dir_fd=descriptor, dst_dir_fd=descriptor)
    return remove_tree(descriptor, going)


def is_used(directory: bytes) -> bool:
    """Return whether a process has a file of the directory open or mapped, or works in it.

    Of processes that may not be read the kernel tells by leases: one for writing it grants only on a file
    that nobody else has open or mapped, in whatever container. File systems without leases tell nothing.
    """
    return _is_mentioned(os.path.basename(directory)) or any(map(_is_leased, _files(directory)))


def _is_mentioned(digits: bytes) -> bool:
    return any(_mentions(f"/proc/{name}", digits) for name in os.listdir("/proc") if name.isdigit())


def _mentions(process: str, digits: bytes) -> bool:
    """Return whether a process has the name in its mappings or links; one that may not be read has not."""
    try:
        if any(digits in target_of(os.fsencode(f"{process}/{link}")) for link in _LINKS):
            return True
        with open(f"{process}/maps", "rb") as maps:
            return any(digits in line for line in maps)
    except OSError:
        return False


def _files(directory: bytes) -> Iterator[bytes]:
    for top, _, names in os.walk(directory):
        yield top
        yield from (path for path in (os.path.join(top, name) for name in names) if not os.path.islink(path))


def _is_leased(path: bytes) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    except OSError as problem:
        return problem.errno == errno.EAGAIN
    finally:
        os.close(descriptor)
    return False
