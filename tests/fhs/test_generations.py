"""Environments on disk: generations, going back, forgetting."""

import os
from pathlib import Path

import pytest

from denizen.fhs.generations import (
    BadEnvironmentName,
    DamagedEnvironment,
    EnvironmentStore,
    Generation,
    NoEnvironment,
    NoGeneration,
    Part,
    Settings,
    State,
    users,
)
from denizen.fhs.mounts import BindMount
from denizen.store.local import Store
from tests.support.stores import add_text, make_store

SETTINGS = Settings(
    packages=("git", "libc6:i386"),
    suites=("trixie",),
    architectures=("amd64", "i386"),
    locales=("de_DE.UTF-8",),
    bindings=(BindMount(b"/srv/\xff", b"/data", optional=True),),
    environment=(("A", "b=c"),),
    profile="alias ll='ls -l'\n",
)
PARTS = (Part("git", "1:2.47", "amd64", "trixie", "debian", "0" * 64),)


class Made:
    def __init__(self, directory: Path) -> None:
        self.store: Store = make_store(directory / "store")
        self.environments = EnvironmentStore(os.fsencode(directory / "state"))
        self._scratch = directory / "scratch"

    def add(self, content: str, settings: Settings = SETTINGS) -> Generation:
        tree = add_text(self.store, self._scratch, "tree", content).path
        return self.environments.add("dev", self.store.layout, State(tree, 5, settings, PARTS))


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


def test_a_generation_is_read_back_as_it_was(made: Made) -> None:
    added = made.add("one")
    assert added == made.environments.current("dev") == made.environments.generation("dev", 1)
    assert (added.settings, added.parts, added.number) == (SETTINGS, PARTS, 1)


def test_each_change_is_a_generation_and_none_is_made_without_one(made: Made) -> None:
    assert [made.add("one").number, made.add("one").number, made.add("two").number] == [1, 1, 2]
    assert made.add("two", Settings(("git",))).number == 3
    assert made.environments.numbers("dev") == [1, 2, 3]


def test_going_back_keeps_the_later_generation(made: Made) -> None:
    first = made.add("one")
    made.add("two")
    made.environments.switch("dev", 1)
    assert made.environments.current("dev") == first
    with pytest.raises(NoGeneration, match="there are: 1, 2"):
        made.environments.switch("dev", 7)


def test_a_generation_keeps_its_tree_until_the_environment_is_removed(made: Made) -> None:
    from denizen.store.collection.collector import collect
    from denizen.store.collection.deletion_order import Limits

    tree = made.add("one").tree
    collect(made.store, Limits(None, None))
    assert made.store.is_valid(tree)
    made.environments.remove("dev", made.store.layout)
    collect(made.store, Limits(None, None))
    assert not made.store.is_valid(tree)
    assert made.environments.names() == []


def test_an_unknown_name_tells_the_known_ones(made: Made) -> None:
    made.add("one")
    with pytest.raises(NoEnvironment, match="there are: dev"):
        made.environments.current("dve")


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "x" * 65, "a b"])
def test_a_name_never_leaves_its_directory(made: Made, name: str) -> None:
    with pytest.raises(BadEnvironmentName):
        made.environments.directory(name)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 9}', '{"format": 1, "tree": "../x"}'])
def test_a_damaged_record_is_named(made: Made, content: str, tmp_path: Path) -> None:
    made.add("one")
    (tmp_path / "state/fhs/dev/generations/1.json").write_text(content)
    with pytest.raises(DamagedEnvironment, match=r"1\.json cannot be read"):
        made.environments.current("dev")


def test_who_is_inside_is_told_by_what_their_root_has(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    inside = tmp_path / "proc/17/root/.denizen"
    inside.mkdir(parents=True)
    tree.mkdir()
    (inside / "environment").symlink_to(tree)
    (tmp_path / "proc/18/root/.denizen/environment").mkdir(parents=True)
    (tmp_path / "proc/self").mkdir()
    assert list(users(os.fsencode(tree), os.fsencode(tmp_path / "proc"))) == [17]
