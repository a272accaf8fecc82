"""Killed, or refused, at each distinct system call of a change: one generation is active and boots, whole.

Calls of one name with like paths do the same: each meets the fault once, at its first occurrence, so that a
hundred faults stand for all of some thousand.
"""

import re
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from denizen.app.system.system_access import system_store
from denizen.app.system.system_generations import listed
from denizen.store.collection.collector import collect
from denizen.store.collection.deletion_order import Limits
from denizen.store.upkeep.verification import verify
from tests.support.store_operations import BROKEN, DONE, REFUSED
from tests.support.syscall_faults import (
    CALLS,
    CHANGING,
    FULL,
    Operations,
    finished_calls,
    fresh,
)
from tests.support.system_profiles import SEEN_FIRST, SEEN_SECOND, SystemHome, prepare_system

pytestmark = [
    pytest.mark.slow,
    pytest.mark.peer,
    pytest.mark.unmeasured,
    pytest.mark.usefixtures("no_processes"),
]

READING = frozenset({"openat", "read", "pread64", "getdents64", "readlinkat", "linkat"})
# What is seen, and the generation that boots, before and after each operation; "between" is the second one.
SEEN_BETWEEN = {**SEEN_FIRST, "motd": "between"}
STATES = {
    "system switch": [(SEEN_BETWEEN, 2), (SEEN_SECOND, 3)],
    "system rollback": [(SEEN_BETWEEN, 2), (SEEN_FIRST, 1)],
}


@pytest.fixture(scope="module")
def base(in_memory: Path) -> Path:
    root = in_memory / "root"
    root.mkdir()
    prepare_system(root)
    SystemHome(root).rollback(2)
    (root / "target/var/lib/denizen/data/store/.denizen/reserve").unlink()
    kept = in_memory / "base"
    # Links of roots are absolute: what is damaged must lie where it was made.
    subprocess.run(["cp", "-a", root, kept], check=True)
    return kept


@pytest.mark.parametrize("killed", [True, False], ids=["killed", "refused"])
@pytest.mark.parametrize("operation", STATES)
def test_a_fault_leaves_the_old_generation_or_the_new(
    fault_server: Operations, base: Path, in_memory: Path, operation: str, *, killed: bool
) -> None:
    copy = partial(fresh, base, in_memory)
    calls = distinct_calls(fault_server, operation, copy(), in_memory / "log")
    states = STATES[operation]
    for fault, chosen in faults_of(calls, killed=killed):
        assert len(chosen) > 20
        for root, status, about in fault_server.chosen_faults(operation, fault, chosen, copy):
            assert status != BROKEN, about
            home = SystemHome(root)
            # A step that is refused is undone; only a death leaves open which generation it is.
            ends = {-9: states, DONE: states[1:], REFUSED: states[:1]}
            # The last of them ends the store's operation (its session's file), when all is done.
            _is_whole(home, states if " unlink " in about else ends[status], about)
            assert fault_server.plainly(operation, root) == DONE, about
            _is_whole(home, states[1:], about)


def faults_of(calls: list[tuple[str, int]], *, killed: bool) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    """Kinds of faults, and the calls that meet each: a full disk where it can be, another error elsewhere."""
    if killed:
        yield "killed", [one for one in calls if one[0] in CHANGING]
        return
    yield "ENOSPC", [one for one in calls if one[0] in FULL]
    yield "EIO", [one for one in calls if one[0] in (CHANGING | READING) - FULL]


def distinct_calls(fault_server: Operations, operation: str, root: Path, log: Path) -> list[tuple[str, int]]:
    """The name of each distinct call, and which of the calls of that name it is."""
    assert fault_server.run(operation, root, "-y", "-e", f"trace={CALLS}", "-o", str(log)) == 0
    found: dict[str, tuple[str, int]] = {}
    count: dict[str, int] = {}
    for line in finished_calls(log.read_text(errors="replace")):
        made = re.match(r"\d+ +([a-z0-9_]+)\((.*)\) += ", line)
        if made is None or made[1] in ("mmap", "ioctl"):
            continue
        name = made[1]
        count[name] = count.get(name, 0) + 1
        paths = re.findall(r'<(/[^>]*)>|"(/[^"]*|[^"/]+/[^"]*)"', made[2])
        like = re.sub(r"[0-9a-z]{32}|\d+(\.[0-9a-f]{12})?", "N", f"{name} {paths}")
        found.setdefault(like, (name, count[name]))
    return list(found.values())


def _is_whole(home: SystemHome, states: list[tuple[dict[str, str], int]], about: str) -> None:
    """Its files are those of one generation, whose entry is there; the store verifies after a collection."""
    access = home.access
    seen, default = home.seen(), _default(home)
    assert seen in [state for state, _ in states], about
    assert default in [number for _, number in states], about
    with system_store(access) as store:
        collect(store, Limits())
        assert list(verify(store, contents=True)) == [], about
    assert default in [row.generation.number for row in listed(access)], about


def _default(home: SystemHome) -> int:
    """The generation that boots, its entry and its kernel being there."""
    boot = home.target / "boot"
    (name,) = re.findall(r"^default (.*)$", (boot / "loader/loader.conf").read_text(), re.MULTILINE)
    lines = (boot / "loader/entries" / name).read_text().splitlines()
    entry = dict([line.split(" ", 1) for line in lines])
    assert (boot / entry["linux"].lstrip("/")).read_text() == "kernel"
    return int(entry["version"])
