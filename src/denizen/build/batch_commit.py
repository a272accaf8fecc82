"""Registrar: commits the trees that several threads have built in batches, from one thread.

Committing one object costs two syncs of the file system and one of the database, under the store's lock:
5 ms on a quiet disk and 50 on a busy one, so 200 packages would wait seconds for each other. A batch costs
as much as one object. A building thread waits here until its object is valid, holding its output's lock. A
batch is committed once it is large enough, once no thread is building any more, or after `_MOMENT`
seconds: another process may wait for a lock held here while it holds one that a thread here waits for.
"""

from __future__ import annotations

import threading
import time
from queue import Empty, SimpleQueue

from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from denizen.store.object_staging import Work
    from denizen.store.staged_tree import Adoption

_MOMENT = 0.1
# Objects committed together; as many more may be built meanwhile.
TOGETHER = 8


class _Staged(Value):
    """A tree that was built; `placed` is set once it is a valid object."""

    adoption: Adoption
    placed: threading.Event


class Registrar:
    """The trees of one realisation that wait to be committed."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._coming: SimpleQueue[_Staged | None] = SimpleQueue()
        self._waiting: list[_Staged] = []
        self._since = 0.0

    def add(self, adoption: Adoption, checkpoint: Callable[[], None]) -> None:
        """Have a tree made an object and wait until it is valid.

        `checkpoint` raises once the run has failed.
        """
        staged = _Staged(adoption, threading.Event())
        self._coming.put(staged)
        while not staged.placed.wait(_MOMENT):
            checkpoint()

    def wake(self) -> None:
        """Make `attend` return."""
        self._coming.put(None)

    def attend(self, building: int) -> None:
        """Wait for the next event, and commit the batch if it is due.

        `building` is the number of building threads. Raises what `Work.adopt_all` raises.
        """
        # Since the last call a thread may have ended: all that are left may wait here already.
        if not self._is_due(building):
            self._await()
        if self._is_due(building):
            placed, self._waiting = self._waiting, []
            self._work.adopt_all([one.adoption for one in placed])
            for one in placed:
                one.placed.set()

    def _await(self) -> None:
        try:
            self._take(self._coming.get(timeout=_MOMENT if self._waiting else None))
            while True:
                self._take(self._coming.get_nowait())
        except Empty:
            return

    def _is_due(self, building: int) -> bool:
        late = time.monotonic() - self._since > _MOMENT
        return bool(self._waiting) and (len(self._waiting) >= min(TOGETHER, building) or late)

    def _take(self, staged: _Staged | None) -> None:
        if staged is not None:
            if not self._waiting:
                self._since = time.monotonic()
            self._waiting.append(staged)
