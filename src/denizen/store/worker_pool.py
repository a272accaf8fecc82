"""Threads that each do what they are told, in the order they are told it.

For work that is system calls, during which other threads run. Not concurrent.futures, whose import
takes longer than most commands.
"""

from __future__ import annotations

import threading
from queue import Queue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Task(Protocol):
        """A piece of work."""

        def do(self) -> None:
            """Do it."""

        def drop(self) -> None:
            """Let go of what it holds, in place of doing it. Does not fail."""


# Tasks that wait for one thread; who tells it more waits too, so that memory is bounded.
_AHEAD = 4


class Crew:
    """So many threads. Once a task has failed, all that follow are dropped."""

    def __init__(self, size: int) -> None:
        self._failure: BaseException | None = None
        self._queues: list[Queue[Task | None]] = [Queue(_AHEAD) for _ in range(size)]
        self._threads = [threading.Thread(target=self._work, args=(queue,)) for queue in self._queues]
        for thread in self._threads:
            thread.start()

    def tell(self, member: int, task: Task) -> None:
        """Give a task to one of them, any number naming one; waits while that one has enough to do.

        Raises what a task that failed raised; this one is dropped then.
        """
        if self._failure is not None:
            task.drop()
            raise self._failure
        self._queues[member % len(self._queues)].put(task)

    def finish(self) -> None:
        """Wait until all is done. Raises what a task that failed raised."""
        for queue in self._queues:
            queue.put(None)
        for thread in self._threads:
            thread.join()
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Have what is not begun dropped, and wait until it is. After `finish` it does nothing."""
        self._failure = self._failure or InterruptedError()
        if any(thread.is_alive() for thread in self._threads):
            for queue in self._queues:
                queue.put(None)
            for thread in self._threads:
                thread.join()

    def _work(self, queue: Queue[Task | None]) -> None:
        while (task := queue.get()) is not None:
            if self._failure is None:
                try:
                    task.do()
                except BaseException as failure:  # noqa: BLE001 - raised again by `finish`
                    self._failure = failure
            else:
                task.drop()
