import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from denizen.build import batch_commit
from denizen.build.builtin_derivations import made_by
from denizen.build.builtin_unpack_deb import unpacking
from denizen.build.derivation import Sealed
from denizen.build.realise import RealiseOptions, realise
from denizen.store.local import Store
from denizen.store.object_staging import Work
from tests.support import debs
from tests.support.debs import Item
from tests.support.derivations import BuildStore, MemoryOpener
from tests.support.processes import PATIENCE, new_threads

COUNT = 24


@pytest.fixture
def shop(tmp_path: Path) -> BuildStore:
    return BuildStore(tmp_path)


@pytest.fixture
def trees(shop: BuildStore) -> list[Sealed]:
    """Packages that are fetched already, to be unpacked."""
    sources = [shop.fetched(f"{n}.deb", debs.deb([Item(f"./{n}", content=b"x" * n)])) for n in range(COUNT)]
    shop.realise(*sources)
    return [shop.derive(f"p{n}", unpacking(made_by(s), shop.store_dir)) for n, s in enumerate(sources)]


def test_what_is_built_at_once_is_registered_together(
    shop: BuildStore, trees: list[Sealed], monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []
    place = Work._place

    def counted(self: Work, batch: list[object]) -> object:
        batches.append(len(batch))
        return place(self, batch)  # type: ignore[arg-type]  # it is what it was given

    monkeypatch.setattr(Work, "_place", counted)
    # On a busy machine a moment passes between two trees.
    monkeypatch.setattr(batch_commit, "_MOMENT", PATIENCE)
    shop.realise(*trees, jobs=2)
    assert sum(batches) == COUNT
    assert len(batches) <= COUNT // 2
    assert all(shop.place(one).exists() for one in trees)


def test_a_failure_to_register_is_raised_and_nobody_waits_for_ever(
    shop: BuildStore, trees: list[Sealed], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(Work, "adopt_all", refused)
    before = threading.enumerate()
    with pytest.raises(RuntimeError, match="the disk is full"):
        shop.realise(*trees, jobs=2)
    monkeypatch.undo()
    assert not shop.left_behind()
    assert not new_threads(before)


def test_two_that_want_the_same_in_opposite_order_do_not_wait_for_each_other_for_ever(
    shop: BuildStore, trees: list[Sealed]
) -> None:
    def wanted(order: int) -> int:
        # A connection belongs to one thread, a store to one realisation.
        with Store.open(shop.store.layout.physical) as store:
            return len(
                realise(store, [one.path for one in trees][::order], RealiseOptions(MemoryOpener(), 2))
            )

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(wanted, (1, -1))) == [COUNT, COUNT]
    assert not shop.left_behind()
