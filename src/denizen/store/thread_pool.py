"""A pool of threads with one bounded task queue per thread.

For work that consists of system calls, during which other threads run. Not concurrent.futures, whose
import takes longer than most commands.
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
            """Do the work."""

        def drop(self) -> None:
            """Release what the task holds, instead of doing it. Does not fail."""


# Tasks queued for one thread; with more, `tell` blocks, so that memory is bounded.
_AHEAD = 4


class ThreadPool:
    """A fixed number of threads that do tasks. Once a task has failed, all later tasks are dropped."""

    def __init__(self, size: int) -> None:
        self._failure: BaseException | None = None
        self._queues: list[Queue[Task | None]] = [Queue(_AHEAD) for _ in range(size)]
        self._threads = [threading.Thread(target=self._work, args=(queue,)) for queue in self._queues]
        for thread in self._threads:
            thread.start()

    def tell(self, member: int, task: Task) -> None:
        """Queue a task for one thread, number `member` modulo the pool's size; waits while its queue is full.

        Raises the exception of a task that failed, and drops this one.
        """
        if self._failure is not None:
            task.drop()
            raise self._failure
        self._queues[member % len(self._queues)].put(task)

    def finish(self) -> None:
        """Wait until all tasks are done. Raises the exception of a task that failed."""
        for queue in self._queues:
            queue.put(None)
        for thread in self._threads:
            thread.join()
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Drop all tasks that have not begun and wait for the threads to end.

        After `finish` it does nothing.
        """
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
