"""Fixtures of the suites that put faults into system calls; a plugin of all tests (tests/conftest.py)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from denizen.store.collection import processes
from denizen.store.collection.processes import ProcessCensus
from tests.support.syscall_faults import Operations, directory_in_memory


@pytest.fixture(scope="module")
def fault_server() -> Iterator[Operations]:
    """The process whose forks carry out the operations that meet faults."""
    served = Operations()
    yield served
    served.close()


@pytest.fixture(scope="module")
def in_memory() -> Iterator[Path]:
    """A directory in memory: thousands of stores are copied there, damaged and thrown away."""
    with directory_in_memory() as directory:
        yield directory


@pytest.fixture
def no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process holds anything: that is not at stake here, and reading /proc 9,000 times takes a minute."""
    monkeypatch.setattr(processes, "held_by_processes", lambda _: ProcessCensus({}, 0))
