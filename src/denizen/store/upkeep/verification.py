"""Verification of objects against the database, and repair of what differs.

Runs beside additions and collections: registration is checked before and after an object is looked at, so
an object that is collected meanwhile is not reported.
"""

from __future__ import annotations

import os
from enum import Enum

from denizen.disk import write_atomically
from denizen.errors import DenizenError
from denizen.store import sidecar
from denizen.store.errors import doing
from denizen.store.progress import ignore
from denizen.store.trees.canonical import canonical_facts, is_canonical, reset_metadata
from denizen.store.trees.nar_hashing import Digester, digest_tree
from denizen.store.upkeep.rebuild import read_sidecar
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from denizen.formats.storepath import StorePath
    from denizen.store.local import Store
    from denizen.store.object_info import ObjectInfo
    from denizen.store.object_staging import OpenNar
    from denizen.store.progress import Told

    # Opens the NAR of an object, or returns None where none is available.
    Replacement = Callable[[ObjectInfo], OpenNar | None]


class Fault(Enum):
    """The kinds of damage that `verify` reports."""

    DATABASE = "the database file is damaged"
    MISSING = "registered, but not there"
    CONTENT = "its content has changed"
    METADATA = "its mode or time is not as the store leaves it"
    SIDECAR = "its sidecar is missing or says something else"


class StoreProblem(Value):
    """One fault found.

    Attributes:
        path: the object; None for the database.
        fault: the kind of damage.
        detail: more about it in words, or "".
        repaired: whether it has been repaired.
    """

    path: StorePath | None
    fault: Fault
    detail: str = ""
    repaired: bool = False


def verify(store: Store, *, contents: bool, told: Told = ignore) -> Iterator[StoreProblem]:
    """Yield the faults of the store; with `contents`, every file is read and hashed.

    `told` is called with 1 for each object.

    Raises:
        DiskFailed, DatabaseFailed: the store or its database cannot be read at all.
    """
    for detail in store.database.problems():
        yield StoreProblem(None, Fault.DATABASE, detail)
    for path in store.database.paths():
        problem = _judge(store, path, contents=contents)
        # Checked again: a collection may have removed the object while it was looked at.
        if problem is not None and store.is_valid(path):
            yield problem
        told(1)


def repair(store: Store, problem: StoreProblem, replacement: Replacement) -> StoreProblem:
    """Repair `problem` where possible; return it with `repaired` or `detail` updated.

    Sidecars are written again from the database. Content comes from `replacement`, is checked before anything
    is replaced, and is written as new files, so files that other objects share with the damaged ones stay.
    """
    if problem.path is None:
        return problem
    info = store.database.find(problem.path)
    if info is None:
        return problem
    place = store.layout.place_of(problem.path)
    if problem.fault is Fault.SIDECAR:
        with doing("write the sidecar of", place), store.locked():
            write_atomically(store.layout.sidecar_of(problem.path), sidecar.write(info))
        return replace(problem, repaired=True)
    if problem.fault is Fault.METADATA:
        with doing("set the metadata of", place), store.locked():
            reset_metadata(place)
        return replace(problem, repaired=True)
    open_nar = replacement(info)
    if open_nar is None:
        return replace(problem, detail=problem.detail or "and no copy of it is to be had")
    with store.working() as work:
        work.replace_nar(open_nar, info)
    return replace(problem, repaired=True)


def _judge(store: Store, path: StorePath, *, contents: bool) -> StoreProblem | None:
    info = store.database.find(path)
    if info is None:
        return None
    place = store.layout.place_of(path)
    try:
        facts = os.lstat(place)
    except FileNotFoundError:
        return StoreProblem(path, Fault.MISSING)
    except OSError as error:
        return StoreProblem(path, Fault.CONTENT, os.strerror(error.errno or 0))
    if contents and (detail := content_differs(place, info)):
        return StoreProblem(path, Fault.CONTENT, detail)
    try:
        is_as_left = is_canonical(place) if contents else canonical_facts(facts)
    except OSError as error:  # a collection removes it at this moment, or the disk gives no answer
        return StoreProblem(path, Fault.CONTENT, os.strerror(error.errno or 0))
    return _sidecar_differs(store, info) if is_as_left else StoreProblem(path, Fault.METADATA)


def content_differs(place: bytes, info: ObjectInfo) -> str:
    """Return how the tree at `place` differs from what is registered of it, "" where it does not."""
    try:
        digest = digest_tree(place, Digester())
    except (OSError, DenizenError) as error:
        return str(error)
    if digest.nar_size != info.nar_size:
        return f"its archive has {digest.nar_size} bytes and not {info.nar_size}"
    return "" if digest.nar_hash == info.nar_hash else "its hash differs"


def _sidecar_differs(store: Store, info: ObjectInfo) -> StoreProblem | None:
    try:
        found = read_sidecar(store.layout, info.path)
    except FileNotFoundError:
        return StoreProblem(info.path, Fault.SIDECAR, "it is missing")
    except (OSError, DenizenError) as error:
        return StoreProblem(info.path, Fault.SIDECAR, str(error))
    return None if found == info else StoreProblem(info.path, Fault.SIDECAR, "it says something else")
