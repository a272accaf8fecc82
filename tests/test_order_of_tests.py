"""Slow modules come first in what each worker runs, and no test is lost."""

from pathlib import Path
from typing import cast

import pytest

from tests.support.order_of_tests import shared_out


class Item:
    """What the order asks of a test."""

    def __init__(self, module: str, number: int, *marks: str) -> None:
        self.path = Path(module)
        self.name = f"{module}{number}"
        self._marks = marks

    def get_closest_marker(self, name: str) -> object:
        return name if name in self._marks else None


def module(name: str, count: int, *marks: str) -> list[Item]:
    return [Item(name, number, *marks) for number in range(count)]


def names(items: list[Item], workers: int) -> list[str]:
    return [cast("Item", one).name for one in shared_out(cast("list[pytest.Item]", items), workers)]


def test_each_share_begins_with_slow_modules_and_the_archives_are_in_one() -> None:
    items = [
        *module("a", 3),
        *module("b", 2, "slow"),
        *module("c", 2, "slow", "network"),
        *module("d", 1, "slow", "network"),
        *module("e", 3, "slow"),
        *module("f", 3),
    ]
    assert names(items, 2) == [
        *("c0", "c1", "d0", "b0", "b1", "a0", "a1"),
        *("e0", "e1", "e2", "a2", "f0", "f1", "f2"),
    ]  # fmt: skip


@pytest.mark.parametrize("workers", [1, 2, 3, 5, 20])
def test_every_test_is_there_once(workers: int) -> None:
    items = [*module("a", 3), *module("b", 5, "slow"), *module("c", 1, "slow", "network"), *module("d", 2)]
    assert sorted(names(items, workers)) == sorted(one.name for one in items)
