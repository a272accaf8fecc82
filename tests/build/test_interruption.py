"""A realisation that is ended from outside while helpers are at work."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from denizen.build.builtin_derivations import made_by
from denizen.build.builtin_unpack_deb import unpacking
from denizen.store.collection.collector import collect
from denizen.store.collection.deletion_order import Limits
from denizen.store.upkeep.verification import verify
from tests.support import debs
from tests.support.debs import Item
from tests.support.derivations import BuildStore
from tests.support.processes import PATIENCE, has_ended, wait_until

# Helpers say that they have begun, and then take long over it.
PROGRAM = """
import os, sys, time
from denizen.build import package_unpack as stowing
from denizen.build.realise import RealiseOptions, realise
from denizen.formats import storepath
from denizen.store.local import Store

def slowly(entries, tree, candidates, make=stowing.make):
    digest = make(entries, tree, candidates)
    os.write(1, b"%d\\n" % os.getpid())
    time.sleep({seconds})
    return digest

stowing.make = slowly
store = Store.open(os.fsencode(sys.argv[1]))
realise(store, [storepath.from_base(name) for name in sys.argv[2:]], RealiseOptions(None, 2))
"""


@pytest.fixture
def shop(tmp_path: Path) -> BuildStore:
    return BuildStore(tmp_path)


def started(shop: BuildStore, seconds: float) -> Iterator[subprocess.Popen[str]]:
    sources = [shop.fetched(f"{n}.deb", debs.deb([Item(f"./{n}", content=b"x" * n)])) for n in range(3)]
    wanted = [shop.derive(f"p{n}", unpacking(made_by(s), shop.store_dir)) for n, s in enumerate(sources)]
    shop.realise(*sources)
    names = [one.path.base for one in wanted]
    directory = os.fsdecode(shop.store.layout.physical)
    command = [sys.executable, "-c", PROGRAM.format(seconds=seconds), directory, *names]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    ) as process:
        yield process


def helpers_of(process: subprocess.Popen[str]) -> list[int]:
    assert process.stdout is not None
    return [int(process.stdout.readline()) for _ in range(2)]


def test_ctrl_c_ends_all_at_once_and_leaves_nothing(shop: BuildStore) -> None:
    for process in started(shop, seconds=10 * PATIENCE):
        helpers = helpers_of(process)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the helpers get it too
        assert process.wait(timeout=PATIENCE) != 0
        assert all(has_ended(helper) for helper in helpers)
    assert not shop.left_behind()


def test_killed_it_leaves_a_store_that_verifies_and_its_helpers_end(shop: BuildStore) -> None:
    for process in started(shop, seconds=10 * PATIENCE):
        helpers = helpers_of(process)
        process.kill()
        process.wait()
        assert process.stdout is not None
        assert process.stdout.read() == ""  # at its end once both have ended
        for helper in helpers:
            wait_until(partial(has_ended, helper))
    assert not list(verify(shop.store, contents=True))
    collect(shop.store, Limits())
    assert not shop.left_behind()
