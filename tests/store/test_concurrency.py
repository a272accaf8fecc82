"""Eight processes adding, collecting and verifying one store: no error, and nothing is lost.

Ten seconds in the suite; DENIZEN_STRESS_SECONDS=60 for the minute.
"""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from denizen.store.collection import gc_roots
from denizen.store.collection.collector import collect
from denizen.store.collection.deletion_order import Limits
from denizen.store.local import Store
from denizen.store.upkeep.verification import verify

PROCESSES = 8
SECONDS = float(os.environ.get("DENIZEN_STRESS_SECONDS", "10"))


@pytest.mark.slow
def test_many_processes_use_one_store_at_once(tmp_path: Path) -> None:
    Store.create(os.fsencode(tmp_path / "store")).close()
    command = [sys.executable, "-m", "tests.store.test_concurrency", str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    running = [
        subprocess.Popen([*command, str(number)], env=environment, stdout=subprocess.PIPE, text=True)
        for number in range(PROCESSES)
    ]
    said = [process.communicate()[0] for process in running]
    assert [process.returncode for process in running] == [0] * PROCESSES
    counts = [int(words.split()[-1]) for words in said]
    assert min(counts) > 0, counts
    with Store.open(os.fsencode(tmp_path / "store")) as store:
        assert list(verify(store, contents=True)) == []
        for root in (tmp_path / "store/.denizen/gcroots").glob("p*"):
            assert root.exists(), root
            store.closure([store.path_at(os.fsencode(os.path.realpath(root)))])


def work_for(root: Path, number: int, seconds: float) -> int:
    """Add small closures and root some, collect, verify; how many rounds there were."""
    chance = random.Random(number)
    end = time.monotonic() + seconds
    rounds = 0
    while time.monotonic() < end:
        with Store.open(os.fsencode(root / "store")) as store:
            what = chance.random()
            if what < 0.7:
                _add(store, root, number, chance)
            elif what < 0.9:
                collect(store, Limits())
            else:
                problems = list(verify(store, contents=True))
                assert not problems, problems
        rounds += 1
    return rounds


def _add(store: Store, root: Path, number: int, chance: random.Random) -> None:
    # A small pool of contents, so that processes add, collect and find valid the same objects.
    first, second = root / f"a{number}", root / f"b{number}"
    first.write_text(f"content {chance.randrange(20)}")
    with store.working() as work:
        leaf = work.add(os.fsencode(first), "leaf")
        second.write_text(f"../{leaf.path} {chance.randrange(5)}")
        top = work.add(os.fsencode(second), "top")
        assert top.references == (leaf.path,)
        assert set(store.closure([top.path])) == {leaf.path, top.path}
        assert Path(os.fsdecode(store.place_of(top.path))).exists()
        gc_roots.add_link(store.layout, b"p%d-%d" % (number, chance.randrange(3)), top.path)


if __name__ == "__main__":
    sys.stdout.write(f"{work_for(Path(sys.argv[1]), int(sys.argv[2]), SECONDS)}\n")
