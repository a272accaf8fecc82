"""Threads that do what they are told."""

import contextlib
import threading

import pytest

from denizen.store.thread_pool import ThreadPool
from tests.support.processes import new_threads


class Note:
    """A task that writes down what becomes of it."""

    def __init__(self, notes: list[tuple[str, int]], number: int, failure: Exception | None = None) -> None:
        self._notes = notes
        self._number = number
        self._failure = failure

    def do(self) -> None:
        if self._failure is not None:
            raise self._failure
        self._notes.append(("done", self._number))

    def drop(self) -> None:
        self._notes.append(("dropped", self._number))


def done_by_one(tasks: list[Note]) -> None:
    with contextlib.closing(ThreadPool(1)) as pool:
        for task in tasks:
            pool.tell(0, task)
        pool.finish()


def test_each_member_keeps_the_order_it_is_told() -> None:
    notes: list[tuple[str, int]] = []
    with contextlib.closing(ThreadPool(2)) as pool:
        for number in range(100):
            pool.tell(number, Note(notes, number))
        pool.finish()
    assert [number for _, number in notes if number % 2] == list(range(1, 100, 2))
    assert [number for _, number in notes if not number % 2] == list(range(0, 100, 2))
    assert {word for word, _ in notes} == {"done"}


def test_what_follows_a_failure_is_dropped_and_the_failure_raised() -> None:
    notes: list[tuple[str, int]] = []
    failure = OSError(28, "full")
    tasks = [Note(notes, 0), Note(notes, 1, failure), *(Note(notes, number) for number in range(2, 50))]
    with pytest.raises(OSError, match="full"):
        done_by_one(tasks)
    assert notes[0] == ("done", 0)
    assert {word for word, _ in notes[1:]} == {"dropped"}


def test_a_crew_that_is_closed_early_leaves_no_thread_and_lets_go_of_all() -> None:
    notes: list[tuple[str, int]] = []
    before = threading.enumerate()
    with contextlib.suppress(KeyError), contextlib.closing(ThreadPool(2)) as pool:
        for number in range(8):
            pool.tell(number, Note(notes, number))
        raise KeyError
    assert not new_threads(before)
    assert sorted(number for _, number in notes) == list(range(8))
