import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from denizen.profiles.generation_tree import generation_tree
from denizen.profiles.manifest_changes import with_elements
from denizen.profiles.profile_conflict import ProfileConflict
from denizen.profiles.profile_manifest import ElementPart, ProfileElement, ProfileManifest, read_manifest
from denizen.store.local import Store
from denizen.store.object_staging import Work
from tests.support.profile_elements import added, element


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.create(os.fsencode(tmp_path / "store")) as made:
        yield made


@pytest.fixture
def work(store: Store) -> Iterator[Work]:
    with store.working() as made:
        yield made


@pytest.fixture
def zips(work: Work, tmp_path: Path) -> list[ProfileElement]:
    """Two things with a file of the same path, and one of the same content."""
    objects = [
        added(
            work,
            tmp_path / "scratch",
            name,
            {"bin/zip": name, "share/doc/licence": "free", f"share/{name}": ""},
        )
        for name in ("zip", "7zip")
    ]
    return [element(path.name, ElementPart(path)) for path in objects]


def tree(store: Store, work: Work, *elements: ProfileElement, new: tuple[str, ...] = ()) -> Path:
    manifest = with_elements(ProfileManifest(), elements)
    return Path(os.fsdecode(store.place_of(generation_tree(store, work, manifest, new))))


def test_the_tree_has_links_to_all_and_says_what_is_in_it(
    store: Store, work: Work, zips: list[ProfileElement]
) -> None:
    made = tree(store, work, zips[0])
    assert (made / "bin" / "zip").read_text() == "zip"
    manifest = read_manifest((made / "manifest.json").read_bytes())
    assert [one.name for one in manifest.elements] == ["zip"]
    path = store.path_at(os.fsencode(made))
    assert zips[0].parts[0].path in store.info(path).references


def test_the_same_things_make_the_same_object(store: Store, work: Work, zips: list[ProfileElement]) -> None:
    zips = [zips[0], element(zips[1].name, *zips[1].parts, priority=6)]
    assert tree(store, work, *zips) == tree(store, work, *reversed(zips))


def test_a_conflict_names_who_was_there_and_who_is_new(
    store: Store, work: Work, zips: list[ProfileElement]
) -> None:
    for new, old in (("zip", "7zip"), ("7zip", "zip")):
        with pytest.raises(ProfileConflict) as failure:
            tree(store, work, *zips, new=(new,))
        assert failure.value.what == f"{new} conflicts with {old}, which is installed"
        assert failure.value.clashes == ((b"bin/zip", old, new),)
        assert f"denizen install --priority 4 {new}" in failure.value.remedy


def test_commands_of_the_same_name_are_a_conflict_though_all_are_the_loader(
    store: Store, work: Work, tmp_path: Path
) -> None:
    zips = [
        element(
            name,
            ElementPart(added(work, tmp_path / "s", name, {"bin/zip": "loader", name: ""}), "bin", "bin"),
            commands=("zip",),
        )
        for name in ("zip", "7zip")
    ]
    with pytest.raises(ProfileConflict, match="7zip conflicts with zip") as failure:
        tree(store, work, *zips, new=("7zip",))
    assert failure.value.clashes == ((b"bin/zip", "zip", "7zip"),)
    preferred = element("7zip", *zips[1].parts, commands=("zip",), priority=4)
    made = tree(store, work, zips[0], preferred, new=("7zip",))
    assert (made / "bin/zip").resolve().parts[-3].endswith("-7zip")


@pytest.mark.parametrize(("priority", "winner"), [(4, "7zip"), (6, "zip")])
def test_the_command_that_the_conflict_names_settles_it(
    store: Store, work: Work, zips: list[ProfileElement], priority: int, winner: str
) -> None:
    new = element("7zip", *zips[1].parts, priority=priority)
    assert (tree(store, work, zips[0], new) / "bin" / "zip").read_text() == winner


def test_files_of_the_same_content_are_no_conflict(
    store: Store, work: Work, zips: list[ProfileElement]
) -> None:
    shares = [
        element(one.name, *(ElementPart(part.path, "share", "share") for part in one.parts)) for one in zips
    ]
    made = tree(store, work, *shares)
    assert (made / "share" / "doc" / "licence").read_text() == "free"
    assert {name.name for name in (made / "share").iterdir()} == {"doc", "zip", "7zip"}


def test_a_part_of_an_element_comes_before_its_other_parts_by_rank(
    store: Store, work: Work, tmp_path: Path
) -> None:
    own = added(work, tmp_path / "s", "own", {"share/x.desktop": "rewritten"})
    package = added(work, tmp_path / "s", "package", {"usr/share/x.desktop": "as it was"})
    parts = ElementPart(package, "usr/share", "share", 1), ElementPart(own, "share", "share")
    assert (tree(store, work, element("x", *parts)) / "share" / "x.desktop").read_text() == "rewritten"


def test_a_profile_may_be_empty(store: Store, work: Work) -> None:
    assert sorted(os.listdir(tree(store, work))) == ["manifest.json", "manifest.tsv"]
