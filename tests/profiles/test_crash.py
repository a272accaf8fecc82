"""Killed, or refused, at every system call of a change: the old generation is there, or the new one."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from denizen.errors import DenizenError
from denizen.profiles.profile_links import Profile
from denizen.store.collection import processes
from denizen.store.collection.collector import Limits, collect
from denizen.store.collection.processes import ProcessCensus
from denizen.store.local import Store
from denizen.store.upkeep.verification import verify
from tests.support.store_operations import (
    BROKEN,
    DONE,
    PROFILE_OPERATIONS,
    REFUSED,
    prepare,
    prepare_profile,
    profile_in,
)
from tests.support.syscall_faults import CHANGING, FAULTS, FULL, Operations, directory_in_memory, fresh

pytestmark = [pytest.mark.slow, pytest.mark.peer, pytest.mark.unmeasured]

# Elements before and after each operation.
STATES = {
    "install": ({"kept", "top"}, {"kept", "new", "top"}),
    "rollback": ({"kept", "top"}, {"kept"}),
    "delete-generations": ({"kept", "top"}, {"kept", "top"}),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Operations]:
    served = Operations()
    yield served
    served.close()


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    with directory_in_memory() as directory:
        yield directory


@pytest.fixture(scope="module")
def base(place: Path) -> Path:
    root = place / "root"
    root.mkdir()
    prepare(root)
    prepare_profile(root)
    (root / "store/.denizen/reserve").unlink()
    kept = place / "base"
    # Links of roots are absolute: what is damaged must lie where it was made.
    subprocess.run(["cp", "-a", root, kept], check=True)
    return kept


@pytest.fixture(autouse=True)
def no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "held_by_processes", lambda _: ProcessCensus({}, 0))


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("operation", PROFILE_OPERATIONS)
def test_a_fault_at_any_system_call_leaves_the_old_generation_or_the_new(
    server: Operations, base: Path, place: Path, operation: str, fault: str
) -> None:
    calls = server.calls(operation, fresh(base, place), place / "log")
    assert calls["unlink"] + calls["rename"] > 1
    among = FULL if fault == "ENOSPC" else CHANGING
    for root, status, about in server.faults(operation, fault, calls, among, lambda: fresh(base, place)):
        assert status != BROKEN, about
        assert status in ((-9, DONE) if fault == "killed" else (DONE, REFUSED)), about
        assert elements(profile_in(root)) in STATES[operation], about
        still_whole(root, about)
        assert server.plainly(operation, root) == DONE, about
        assert elements(profile_in(root)) == STATES[operation][1], about


def elements(profile: Profile) -> set[str]:
    return {one.name for one in profile.manifest(profile.required()).elements}


def still_whole(root: Path, about: str) -> None:
    """Every generation there is can be read, also after a collection; the store verifies."""
    with Store.open(os.fsencode(root / "store")) as store:
        collect(store, Limits())
        assert list(verify(store, contents=True)) == [], about
    profile = profile_in(root)
    for number in profile.numbers():
        try:
            profile.manifest(number)
        except DenizenError as problem:
            raise AssertionError(about) from problem
