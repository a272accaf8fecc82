"""Expiry of decisions: a garbage collection deletes those whose program is gone and that no process uses.

A program whose file is gone may still be running: it updated itself, or a user deleted it. It may open
libraries and plugins later, so a decision is kept with all its objects while a process has one of them
mapped. The program may also be on a disk that is not mounted now, so a decision is kept for a grace period,
counted from the first collection that missed the program. No better evidence exists: the times of a mount
point's directory do not tell that a disk was mounted there.
"""

from __future__ import annotations

import os
import time

from denizen.disk_view import DiskView
from denizen.formats.storepath import DIGEST_DIGITS
from denizen.launch.decisions.program_identity import identity_of
from denizen.launch.fast_path import NAMED
from denizen.store.collection.processes import held_by_processes
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.launch.decisions.decision import Decision
    from denizen.launch.decisions.decision_store import DecisionStore
    from denizen.store.layout import StoreLayout


class ExpiredDecisions(Value):
    """The numbers of decisions whose program is missing.

    Attributes:
        dropped: deleted.
        running: kept because a process has one of their objects mapped.
        waiting: kept for the grace period.
    """

    dropped: int
    running: int
    waiting: int


def expire(decision_stores: Sequence[DecisionStore], layout: StoreLayout, grace: int) -> ExpiredDecisions:
    """Delete the decisions of programs that are gone, with their roots; `grace` is in seconds.

    Raises:
        OSError: a file cannot be read or written.
        ProcessUnreadable: a process of this user cannot be examined; nothing was deleted.
    """
    missing = [(decision_store, dict(_missing(decision_store))) for decision_store in decision_stores]
    wanted = {digest for _, rows in missing for decision in rows.values() for digest in digests_of(decision)}
    held = frozenset(held_by_processes(wanted).held) if wanted else frozenset()
    now = time.time()
    fates: list[int] = []
    for decision_store, rows in missing:
        decision_store.found_again(rows)
        for name, decision in rows.items():
            fate = _fate(decision, held, now - decision_store.missed_since(name, now), grace)
            if fate == _DROPPED:
                decision_store.drop(layout, name)
            if not name.startswith(b"b-"):  # the second name of a decision that is counted already
                fates.append(fate)
    return ExpiredDecisions(fates.count(_DROPPED), fates.count(_RUNNING), fates.count(_WAITING))


_DROPPED, _RUNNING, _WAITING = range(3)


def _fate(decision: Decision | None, held: frozenset[bytes], missed_for: float, grace: int) -> int:
    if decision is None:
        return _DROPPED
    if not held.isdisjoint(digests_of(decision)):
        return _RUNNING
    return _DROPPED if missed_for >= grace else _WAITING


def _missing(decision_store: DecisionStore) -> Iterator[tuple[bytes, Decision | None]]:
    """Yield the decisions that do not fit the file now at their program's path, and the damaged files."""
    for name, decision in decision_store.decisions():
        if decision is None or not _lives(name, decision):
            yield name, decision


def _lives(name: bytes, decision: Decision) -> bool:
    """Tell whether a decision's program is as it was; one found by its name may have links more or less."""
    try:
        found = identity_of(DiskView().stat(decision.program))
    except OSError:
        return False
    if name.startswith(NAMED):
        found = replace(found, ctime_ns=decision.identity.ctime_ns)
    return found == decision.identity


def digests_of(decision: Decision | None) -> list[bytes]:
    """Return the hash parts of the store objects that a decision names; it names files of the host too."""
    if decision is None:
        return []
    names = [os.path.basename(path) for path in decision.objects]
    return [name[:DIGEST_DIGITS] for name in names if name[DIGEST_DIGITS : DIGEST_DIGITS + 1] == b"-"]
