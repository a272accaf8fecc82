"""The order of the tests where several workers run them: slow modules first, the archive's all at one worker.

A plugin of pytest. The distribution `worksteal` of xdist hands each worker a stretch of the list, and an idle
worker takes from the end of another's. What is slow stands at the beginning of a stretch: from its end it
would be taken away, with what its module has prepared, or one worker would be at it while others are idle.
Tests of the real archive wait for each other, wherever they run.
"""

from collections.abc import Sequence

import pytest

Module = list[pytest.Item]


class Share:
    """What one worker is to run."""

    def __init__(self) -> None:
        self.items: list[pytest.Item] = []
        self.slow = 0

    def take(self, module: Module) -> None:
        """Run these too."""
        self.items += module
        self.slow += _count(module, "slow")


def shared_out(items: Sequence[pytest.Item], workers: int) -> list[pytest.Item]:
    """Return the tests share by share, each as long as xdist makes it; those of a module keep their order."""
    modules: dict[object, Module] = {}
    for item in items:
        modules.setdefault(item.path, []).append(item)
    slow = [module for module in modules.values() if _count(module, "slow")]
    quick = [item for module in modules.values() if not _count(module, "slow") for item in module]
    shares = [Share() for _ in range(workers)]
    for module in sorted(slow, key=lambda one: (_count(one, "network"), _count(one, "slow")), reverse=True):
        (shares[0] if _count(module, "network") else min(shares, key=lambda one: one.slow)).take(module)
    found: list[pytest.Item] = []
    for number, share in enumerate(shares):
        length = (len(items) - len(found)) // (workers - number)
        missing = max(0, length - len(share.items))
        found += share.items + quick[:missing]
        del quick[:missing]
    return found + quick


def _count(module: Module, mark: str) -> int:
    return sum(item.get_closest_marker(mark) is not None for item in module)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order the tests of a worker, as each other worker does."""
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    if workers > 1:
        items[:] = shared_out(items, workers)
