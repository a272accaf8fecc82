"""Garbage collector roots: which objects a collection must keep, and the reason for each.

A root is a symbolic link below `gcroots/` or `profiles/` whose target names an object: directly, or
through links elsewhere that are followed to their end (an indirect root: `gcroots/auto/x` leads to
`/home/u/result`, which leads to the object; once that link is gone, nothing is kept). A regular file there
whose name is an object's is a root too, for file systems without links.

Objects are recognised by their hash anywhere in a target, not by the store's path, so roots survive
a store that was moved or copied. This may keep an object too many, never one too few.

If a root exists but cannot be read, nothing may be collected: it could lead to any object
(docs/store.md, invariant 4).
"""

from __future__ import annotations

import errno
import os
import stat

from denizen.errors import HostLacks
from denizen.fileview import MAX_LINKS
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from denizen.store.layout import StoreLayout

# A directory tree of roots deeper than this is a mistake or an attack.
_MAX_DEPTH = 16


class RootUnreadable(HostLacks):
    """A root, or a directory of roots, cannot be read, so nothing is collected."""

    path: bytes
    code: int
    WHAT = "cannot read the root {path}"
    REMEDY = "make it readable, or remove it if nothing it led to is needed"

    @property
    def why(self) -> str:
        return f"{os.strerror(self.code)}; what it leads to must not be deleted, and is not known"


class Root(Value):
    """A reason to keep an object.

    Attributes:
        digest: hash part of the object's path.
        kind: "link", "indirect", "session" or "process".
        place: the link, session file or place in /proc that gives the reason.
    """

    digest: bytes
    kind: str
    place: bytes


class GcRoots(Value):
    """All roots found.

    Attributes:
        found: the roots.
        stale: indirect roots whose link elsewhere has gone.
        unseen: number of other users' processes that could not be inspected.
    """

    found: tuple[Root, ...]
    stale: tuple[bytes, ...]
    unseen: int

    @property
    def digests(self) -> set[bytes]:
        """The hash parts of the objects kept."""
        return {root.digest for root in self.found}


def find_roots(
    layout: StoreLayout, digests: AbstractSet[bytes], sessions: Mapping[bytes, Collection[bytes]]
) -> GcRoots:
    """Return every root that keeps one of the objects with the hash parts `digests`.

    `sessions` maps each operation in progress to the hash parts of the objects it needs.

    Raises:
        RootUnreadable, ProcessUnreadable: not all roots can be determined.
    """
    from denizen.store.collection.processes import held_by_processes

    found: list[Root] = []
    stale: list[bytes] = []
    for top in (layout.gcroots, layout.profiles):
        for place in _links_below(top, 0):
            roots = list(_of_link(place, digests))
            found += roots
            if not roots and place.startswith(layout.indirect + b"/") and _leads_nowhere(place):
                stale.append(place)
    for token, needed in sessions.items():
        place = layout.sessions + b"/" + token
        found += [Root(digest, "session", place) for digest in needed if digest in digests]
    processes = held_by_processes(digests)
    found += [Root(digest, "process", place) for digest, place in processes.held.items()]
    return GcRoots(tuple(found), tuple(stale), processes.unseen)


def _links_below(directory: bytes, depth: int) -> Iterator[bytes]:
    """Yield the path of everything below a directory of roots that is not a directory."""
    try:
        names = sorted(os.listdir(directory))
    except FileNotFoundError:
        return
    except OSError as error:
        raise RootUnreadable(directory, error.errno or 0) from error
    if depth > _MAX_DEPTH:
        raise RootUnreadable(directory, errno.ELOOP)
    for name in names:
        place = b"%b/%b" % (directory, name)
        if stat.S_ISDIR(_mode(place) or 0):
            yield from _links_below(place, depth + 1)
        else:
            yield place


def _of_link(place: bytes, digests: AbstractSet[bytes]) -> Iterator[Root]:
    """Yield a root for each object that the link at `place` leads to, directly or through links elsewhere."""
    from denizen.store.collection.processes import mentioned_in

    here, kind = place, "link"
    for _ in range(MAX_LINKS):
        mode = _mode(here)
        if mode is None or not stat.S_ISLNK(mode):
            # The end of the chain: gone, or a file, whose own name may be an object's.
            yield from (Root(d, kind, place) for d in mentioned_in(os.path.basename(here), digests))
            return
        target = _target(here)
        hits = mentioned_in(target, digests)
        if hits:
            yield from (Root(digest, kind, place) for digest in hits)
            return
        here, kind = os.path.join(os.path.dirname(here), target), "indirect"
    raise RootUnreadable(place, errno.ELOOP)


def _leads_nowhere(place: bytes) -> bool:
    """Return whether an indirect root's link elsewhere has gone, or is no longer a link."""
    target = os.path.join(os.path.dirname(place), _target(place))
    mode = _mode(target)
    return mode is None or not stat.S_ISLNK(mode)


def _mode(place: bytes) -> int | None:
    """Return the mode of `place` itself, not of a link's target; None if nothing is there."""
    try:
        return os.lstat(place).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise RootUnreadable(place, error.errno or 0) from error


def _target(link: bytes) -> bytes:
    try:
        return os.readlink(link)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise RootUnreadable(link, error.errno or 0) from error
