"""Killed, or refused by the file system, at every system call: the store opens, verifies and goes on.

Each system call an operation makes on a file system is met by EIO, where a disk can be full by ENOSPC, and
where it changes something by SIGKILL (tests.support.syscall_faults puts it there). Some 2,300 stores are
damaged this way.
"""

import os
from functools import partial
from pathlib import Path

import pytest

from denizen.store.collection.collector import collect, explain
from denizen.store.collection.deletion_order import Limits
from denizen.store.local import Store
from denizen.store.upkeep.verification import verify
from tests.support import store_operations
from tests.support.store_operations import BROKEN, DONE, OPERATIONS, REFUSED, prepare
from tests.support.syscall_faults import CHANGING, FAULTS, FULL, Operations, fresh

pytestmark = [
    pytest.mark.slow,
    pytest.mark.peer,
    pytest.mark.unmeasured,
    pytest.mark.usefixtures("no_processes"),
]

_BY_SEVERAL = ("realise", "gc by a pool")


@pytest.fixture(scope="module")
def base(in_memory: Path) -> Path:
    root = in_memory / "base"
    root.mkdir()
    prepare(root)
    # Of no account here, and 8 MB to copy for each.
    (root / "store/.denizen/reserve").unlink()
    return root


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_fault_at_any_system_call_loses_nothing(
    fault_server: Operations, base: Path, in_memory: Path, operation: str, fault: str
) -> None:
    copy = partial(fresh, base, in_memory)
    calls = fault_server.calls(operation, copy(), in_memory / "log")
    assert calls["openat"] > 5
    assert calls["rename"] + calls["renameat"] > 1
    among = {"killed": CHANGING, "ENOSPC": FULL}.get(fault, calls)
    for root, status, about in fault_server.faults(operation, fault, calls, among, copy):
        assert status != BROKEN, about
        assert status in _ends(operation, fault), about
        still_whole(root, about)
        assert fault_server.plainly(operation, root) == DONE, about
        nothing_is_left_over(root, f"{about}, then repeated")


def _ends(operation: str, fault: str) -> tuple[int, ...]:
    """How an operation may end. Where other processes do part of it, the death of one is a failure."""
    if fault == "killed":
        return (-9, DONE, REFUSED) if operation in _BY_SEVERAL else (-9, DONE)
    return (DONE, REFUSED)


def still_whole(root: Path, about: str) -> None:
    """It opens, verifies to the last byte, and has everything that is rooted."""
    with Store.open(os.fsencode(root / "store")) as store:
        assert list(verify(store, contents=True)) == [], about
        rooted = {path.name for _, path in explain(store)}
        assert "top" in rooted, about
        (top,) = [path for path in store.database.paths() if path.name == "top"]
        assert {path.name for path in store.closure([top])} == {"top", "kept"}, about


def nothing_is_left_over(root: Path, about: str) -> None:
    """A collection afterwards leaves what is rooted, whole, with its sidecars, and no temporary name."""
    with Store.open(os.fsencode(root / "store")) as store:
        collect(store, Limits())
        assert {"kept", "top"} <= {path.name for path in store.database.paths()}, about
        assert list(verify(store, contents=True)) == [], about
        names = {path.base for path in store.database.paths()}
        live = {path for _, rooted in explain(store) for path in store.closure([rooted])}
        assert {path.base for path in live} == names, about
    assert {name for name in os.listdir(root / "store") if name != ".denizen"} == names, about
    assert set(os.listdir(root / "store/.denizen/info")) == names, about
    assert os.listdir(root / "store/.denizen/sessions") == [], about


def test_the_operations_do_something(base: Path, in_memory: Path) -> None:
    root = fresh(base, in_memory)
    for name in ("add", "build", "realise", "import", "gc"):
        store_operations.OPERATIONS[name](root)
    with Store.open(os.fsencode(root / "store")) as store:
        names = sorted(path.name for path in store.database.paths())
    assert names == ["built", "imported", "kept", "package", "source", "top"]
