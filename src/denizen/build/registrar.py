"""Making what many threads have built valid together, by the thread that the store's database belongs to.

An object alone costs two syncs of the file system and one of the database, 5 ms on a quiet disk and 50 on a
busy one, under the store's lock: 200 packages wait seconds for each other. Together they cost as much as one.
Who has built something waits here until it is valid, holding its lock; what has come meanwhile is placed once
it is enough, once nobody builds any more, or after a moment: another process may be waiting for one of
the locks held here while it holds one that is waited for here.
"""

from __future__ import annotations

import threading
import time
from queue import Empty, SimpleQueue

from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from denizen.store.work import Adoption, Work

# So many are placed together; as many more may be built meanwhile.
TOGETHER = 8
_MOMENT = 0.1


@value
class _Staged:
    """Something built; `placed` is set once it is valid."""

    adoption: Adoption
    placed: threading.Event


class Registrar:
    """What waits to be made valid in one realisation."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._coming: SimpleQueue[_Staged | None] = SimpleQueue()
        self._waiting: list[_Staged] = []
        self._since = 0.0

    def add(self, adoption: Adoption, checkpoint: Callable[[], None]) -> None:
        """Have a tree made an object; returns once it is. `checkpoint` raises if that will not be."""
        staged = _Staged(adoption, threading.Event())
        self._coming.put(staged)
        while not staged.placed.wait(_MOMENT):
            checkpoint()

    def wake(self) -> None:
        """Have `attend` return: something else has happened."""
        self._coming.put(None)

    def attend(self, building: int) -> None:
        """Wait until something happens, and place what is due; `building` counts the threads at work.

        Raises what `Work.adopt_all` raises.
        """
        try:
            self._take(self._coming.get(timeout=_MOMENT if self._waiting else None))
            while True:
                self._take(self._coming.get_nowait())
        except Empty:
            pass
        late = time.monotonic() - self._since > _MOMENT
        if self._waiting and (len(self._waiting) >= min(TOGETHER, building) or late):
            placed, self._waiting = self._waiting, []
            self._work.adopt_all([one.adoption for one in placed])
            for one in placed:
                one.placed.set()

    def _take(self, staged: _Staged | None) -> None:
        if staged is not None:
            if not self._waiting:
                self._since = time.monotonic()
            self._waiting.append(staged)
