"""Killed, or refused, at every system call of a change: the old generation is there, or the new one."""

import os
import subprocess
from functools import partial
from pathlib import Path

import pytest

from denizen.errors import DenizenError
from denizen.profiles.profile_links import Profile
from denizen.store.collection.collector import collect
from denizen.store.collection.deletion_order import Limits
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
from tests.support.syscall_faults import CHANGING, FAULTS, FULL, Operations, fresh

pytestmark = [
    pytest.mark.slow,
    pytest.mark.peer,
    pytest.mark.unmeasured,
    pytest.mark.usefixtures("no_processes"),
]

# Elements before and after each operation.
STATES = {
    "install": ({"kept", "top"}, {"kept", "new", "top"}),
    "rollback": ({"kept", "top"}, {"kept"}),
    "delete-generations": ({"kept", "top"}, {"kept", "top"}),
}


@pytest.fixture(scope="module")
def base(in_memory: Path) -> Path:
    root = in_memory / "root"
    root.mkdir()
    prepare(root)
    prepare_profile(root)
    (root / "store/.denizen/reserve").unlink()
    kept = in_memory / "base"
    # Links of roots are absolute: what is damaged must lie where it was made.
    subprocess.run(["cp", "-a", root, kept], check=True)
    return kept


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("operation", PROFILE_OPERATIONS)
def test_a_fault_at_any_system_call_leaves_the_old_generation_or_the_new(
    fault_server: Operations, base: Path, in_memory: Path, operation: str, fault: str
) -> None:
    copy = partial(fresh, base, in_memory)
    calls = fault_server.calls(operation, copy(), in_memory / "log")
    assert calls["unlink"] + calls["rename"]
    among = FULL if fault == "ENOSPC" else CHANGING
    for root, status, about in fault_server.faults(operation, fault, calls, among, copy):
        assert status != BROKEN, about
        assert status in ((-9, DONE) if fault == "killed" else (DONE, REFUSED)), about
        assert elements(profile_in(root)) in STATES[operation], about
        still_whole(root, about)
        assert fault_server.plainly(operation, root) == DONE, about
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
