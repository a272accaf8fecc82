import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from denizen.formats.storepath import StorePath
from denizen.profiles.profile_errors import BadProfileName, CurrentGeneration, NoSuchGeneration
from denizen.profiles.profile_links import Profile, profile_at, registered_profiles
from denizen.profiles.profile_manifest import ProfileManifest
from denizen.store.collection.collector import collect, explain
from denizen.store.collection.deletion_order import Limits
from denizen.store.local import Store
from tests.support.profile_elements import added


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.create(os.fsencode(tmp_path / "store")) as made:
        yield made


@pytest.fixture
def trees(store: Store, tmp_path: Path) -> list[StorePath]:
    with store.working() as work:
        return [added(work, tmp_path / "scratch", f"tree{n}", {"file": str(n)}) for n in range(3)]


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    return profile_at(os.fsencode(tmp_path / "profiles"), "profile")


def grown(profile: Profile, store: Store, trees: list[StorePath]) -> Profile:
    with profile.locked():
        for tree in trees:
            profile.switch(profile.add(store.layout, tree))
    return profile


def test_the_links_are_named_as_nix_names_them(
    profile: Profile, store: Store, trees: list[StorePath]
) -> None:
    grown(profile, store, trees)
    directory = os.path.dirname(profile.place)
    names = [name for name in sorted(os.listdir(directory)) if not name.endswith(b".lock")]
    assert names == [b"profile", b"profile-1-link", b"profile-2-link", b"profile-3-link"]
    assert os.readlink(profile.place) == b"profile-3-link"
    assert os.readlink(profile.link_of(2)) == store.place_of(trees[1])


def test_a_rollback_is_one_link_and_numbers_are_not_used_again(
    profile: Profile, store: Store, trees: list[StorePath]
) -> None:
    grown(profile, store, trees)
    with profile.locked():
        profile.switch(1)
        assert profile.current() == 1
        assert profile.add(store.layout, trees[2]) == 4


def test_generations_keep_their_trees_until_they_are_deleted(
    profile: Profile, store: Store, trees: list[StorePath]
) -> None:
    grown(profile, store, trees[:2])
    collect(store, Limits())
    assert [store.is_valid(tree) for tree in trees] == [True, True, False]
    with profile.locked():
        profile.delete(store.layout, [1])
    collect(store, Limits())
    assert [store.is_valid(tree) for tree in trees] == [False, True, False]
    assert [path for _, path in explain(store)] == [trees[1]]


def test_the_current_generation_is_not_deleted(
    profile: Profile, store: Store, trees: list[StorePath]
) -> None:
    grown(profile, store, trees)
    with profile.locked(), pytest.raises(CurrentGeneration):
        profile.delete(store.layout, [1, 3])
    assert profile.numbers() == [1, 2, 3]


def test_a_wiped_profile_leaves_nothing_but_its_lock(
    profile: Profile, store: Store, trees: list[StorePath]
) -> None:
    grown(profile, store, trees)
    with profile.locked():
        profile.wipe(store.layout)
    assert os.listdir(os.path.dirname(profile.place)) == [b"profile.lock"]
    assert os.listdir(store.layout.indirect) == []
    assert profile.current() is None


def test_a_profile_may_be_anywhere_and_is_known_to_the_store(
    store: Store, trees: list[StorePath], tmp_path: Path
) -> None:
    for name in ("one", "other-2-link-ed"):
        grown(profile_at(b"/nowhere", str(tmp_path / "p" / name)), store, trees[:1])
    (tmp_path / "p" / "other-2-link-ed-1-link").unlink()
    found = registered_profiles(store.layout)
    assert [one.place for one in found] == [os.fsencode(tmp_path / "p" / "one")]


def test_profiles_whose_names_begin_alike_are_kept_apart(
    store: Store, trees: list[StorePath], tmp_path: Path
) -> None:
    directory = os.fsencode(tmp_path / "profiles")
    grown(profile_at(directory, "p"), store, trees[:1])
    grown(profile_at(directory, "p-1"), store, trees[:2])
    assert profile_at(directory, "p").numbers() == [1]
    assert profile_at(directory, "p-1").numbers() == [1, 2]


def test_a_profile_without_generations_is_empty(profile: Profile) -> None:
    assert profile.current() is None
    assert profile.generations() == []
    assert profile.manifest() == ProfileManifest()
    with pytest.raises(NoSuchGeneration, match="no generation"):
        profile.required()


def test_a_generation_that_is_not_there_is_told_with_those_that_are(
    profile: Profile, store: Store, trees: list[StorePath]
) -> None:
    grown(profile, store, trees)
    with profile.locked(), pytest.raises(NoSuchGeneration, match="there are: 1, 2, 3"):
        profile.switch(9)


@pytest.mark.parametrize("name", ["", "-x", ".hidden", "a b", "x-1-link", "x.lock", "a" * 65, "ä"])
def test_names_that_could_be_mistaken_are_refused(name: str) -> None:
    with pytest.raises(BadProfileName):
        profile_at(b"/d", name)
