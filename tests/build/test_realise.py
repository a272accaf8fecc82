import hashlib
import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from denizen.build.build_plan import NoDerivation, NoSource, add_derivation
from denizen.build.builtin_derivations import Ingredient, made_by, recipe
from denizen.build.builtin_fetch import NotFetched, fetching
from denizen.build.builtin_union import UnionPart, uniting
from denizen.build.builtin_unpack_deb import unpacking
from denizen.build.derivation import BadDerivation, seal
from denizen.build.realise import RealiseOptions, realise
from denizen.errors import BadInput
from denizen.formats import aterm
from denizen.formats.hashes import Hash
from denizen.formats.storepath import StorePath
from denizen.store.local import Store
from tests.support import debs
from tests.support.derivations import BuildStore, MemoryOpener
from tests.support.processes import PATIENCE


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[BuildStore]:
    made = BuildStore(tmp_path)
    yield made
    made.store.close()


class Heard:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, name: str) -> None:
        self.names.append(name)

    def finished(self, name: str) -> None:
        self.names.append(f"{name}!")


def test_inputs_are_made_first_and_each_thing_once(shop: BuildStore) -> None:
    source = shop.fetched("x.deb", debs.deb([debs.Item("./x", content=b"1")]))
    tree = shop.derive("x", unpacking(made_by(source), shop.store_dir))
    union = shop.derive("u", uniting([UnionPart(made_by(tree), 5)], shop.store_dir))
    heard = Heard()
    found = realise(shop.store, [union.path, tree.path], RealiseOptions(shop.opener, 2, heard))
    assert found == {union.path: union, tree.path: tree}
    assert heard.names == ["x.deb", "x.deb!", "x", "x!", "u", "u!"]
    assert (shop.place(union) / "x").read_bytes() == b"1"


def test_what_is_valid_is_not_made_again_nor_what_it_needed(shop: BuildStore) -> None:
    source = shop.fetched("x.deb", debs.deb([]))
    tree = shop.derive("x", unpacking(made_by(source), shop.store_dir))
    shop.realise(tree)
    shop.opener.contents.clear()
    heard = Heard()
    realise(shop.store, [tree.path], RealiseOptions(shop.opener, 1, heard))
    assert heard.names == []


def test_independent_derivations_are_made_at_the_same_time(shop: BuildStore) -> None:
    # Each fetch waits for the other to have begun; one after the other would wait in vain.
    meeting = threading.Barrier(2, timeout=PATIENCE)

    class Meeting(MemoryOpener):
        def __call__(self, url: str) -> Iterator[bytes]:
            meeting.wait()
            return super().__call__(url)

    shop.opener = Meeting()
    shop.realise(shop.fetched("a", b"A"), shop.fetched("b", b"B"), jobs=2)
    assert sorted(shop.opener.asked) == ["https://example.test/a", "https://example.test/b"]


def test_a_failure_stops_what_runs_and_begins_nothing_new(shop: BuildStore) -> None:
    begun = threading.Event()

    class Slow(MemoryOpener):
        def __call__(self, url: str) -> Iterator[bytes]:
            self.asked.append(url)
            if url.endswith("/bad"):
                assert begun.wait(PATIENCE)
                return
            begun.set()
            for _ in range(100 * round(PATIENCE)):
                time.sleep(0.01)
                yield b"x"

    shop.opener = Slow()
    slow = shop.derive("slow", fetching(["https://x/slow"], Hash("sha256", bytes(32)), shop.store_dir))
    bad = shop.derive("bad", fetching(["https://x/bad"], Hash("sha256", bytes(32)), shop.store_dir))
    later = shop.derive("later", fetching(["https://x/later"], Hash("sha256", bytes(32)), shop.store_dir))
    with pytest.raises(NotFetched, match="'bad'"):
        shop.realise(slow, bad, later, jobs=2)
    assert "https://x/later" not in shop.opener.asked
    assert shop.left_behind() == []


def test_what_was_completed_before_a_failure_stays(shop: BuildStore) -> None:
    good = shop.fetched("good", b"good")
    bad = shop.derive("bad", fetching(["https://x/bad"], Hash("sha256", bytes(32)), shop.store_dir))
    with pytest.raises(NotFetched):
        shop.realise(good, bad)
    assert shop.store.is_valid(good.outputs[b"out"])


def test_a_derivation_that_is_not_in_the_store_is_missed(shop: BuildStore) -> None:
    with pytest.raises(NoDerivation):
        realise(shop.store, [StorePath("0" * 32, "x.drv")], RealiseOptions(shop.opener))


def test_a_source_that_nothing_can_make_is_missed(shop: BuildStore) -> None:
    absent = Ingredient(StorePath("0" * 32, "absent"))
    derivation = recipe(b"builtin:union", {b"packages": b""}, [absent], shop.store_dir)

    content = seal(derivation, "x", {}, shop.store_dir).content
    with shop.store.working() as work, pytest.raises(NoSource, match="absent"):
        add_derivation(shop.store, work, "x", content)


def test_a_derivation_file_tampered_with_is_refused(shop: BuildStore) -> None:
    one = shop.fetched("x", b"x")
    place = os.fsdecode(shop.store.place_of(one.path))
    os.chmod(place, 0o644)
    Path(place).write_bytes(one.content.replace(b"https://example.test/x", b"https://evil.test/xxxx"))
    with pytest.raises(BadDerivation, match="its file is"):
        shop.realise(one)


def test_a_derivation_that_is_a_link_is_not_followed(shop: BuildStore) -> None:
    one = shop.fetched("x", b"x")
    place = Path(os.fsdecode(shop.store.place_of(one.path)))
    place.unlink()
    place.symlink_to("/etc/passwd")
    with pytest.raises(Exception, match="symbolic links"):
        shop.realise(one)


def test_an_output_wanted_that_the_input_lacks_is_refused(shop: BuildStore) -> None:
    one = shop.fetched("x", b"x")
    derivation = recipe(
        b"builtin:union",
        {b"packages": b""},
        [Ingredient(one.outputs[b"out"], one.path, b"dev")],
        shop.store_dir,
    )
    with pytest.raises(BadDerivation, match="no output 'dev'"):
        shop.derive("y", derivation)


def test_a_derivation_for_another_store_is_refused(shop: BuildStore) -> None:
    content = aterm.render(
        recipe(b"builtin:union", {}, [Ingredient(StorePath("0" * 32, "a"))], b"/nix/store")
    )
    with shop.store.working() as work, pytest.raises(BadInput, match="it is not in"):
        add_derivation(shop.store, work, "x", content)


def test_nothing_wanted_is_nothing_done(shop: BuildStore) -> None:
    assert shop.realise() == {}


class _Counting:
    """Counts who asks, across processes, and takes its time."""

    def __init__(self, log: str) -> None:
        self._log = log

    def __call__(self, url: str) -> Iterator[bytes]:
        with open(self._log, "a", encoding="ascii") as stream:
            stream.write(f"{url}\n")
        time.sleep(0.2)
        yield b"content"


def _realise_in_process(physical: bytes, path: StorePath, log: str) -> None:
    with Store.open(physical) as store:
        realise(store, [path], RealiseOptions(_Counting(log), 1))


def test_two_processes_that_want_the_same_thing_make_it_once(shop: BuildStore, tmp_path: Path) -> None:
    content = Hash("sha256", hashlib.sha256(b"content").digest())
    one = shop.derive("x", fetching(["https://x/x"], content, shop.store_dir))
    log = tmp_path / "asked"
    context = multiprocessing.get_context("spawn")
    arguments = (shop.store.layout.physical, one.path, str(log))
    processes = [context.Process(target=_realise_in_process, args=arguments) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(PATIENCE)
        assert process.exitcode == 0
    assert log.read_text() == "https://x/x\n"
    assert shop.place(one).read_bytes() == b"content"
