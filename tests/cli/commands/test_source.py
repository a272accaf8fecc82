import json
import os
from pathlib import Path

import pytest

from tests.support import debs
from tests.support.denizen_command import denizen, lines


def add(root: Path, *words: str, status: int = 0) -> str:
    return denizen(root, "source", "add", *words, status=status).stderr.decode()


def listed(root: Path) -> dict[str, dict[str, object]]:
    found = json.loads(denizen(root, "source", "list", "--json").stdout)
    return {source["name"]: source for source in found}


def test_an_archive_is_added_listed_and_removed(tmp_path: Path) -> None:
    add(
        tmp_path,
        "mine",
        "http://a.test/debian",
        "http://b.test/debian",
        "--suite",
        "sid",
        "--component",
        "main",
    )
    mine = listed(tmp_path)["mine"]
    assert (mine["kind"], mine["suites"], mine["components"]) == ("deb", ["sid"], ["main"])
    assert mine["uris"] == ["http://a.test/debian", "http://b.test/debian"]
    assert "mine  (deb, from " in "\n".join(lines(tmp_path, "source", "list"))
    denizen(tmp_path, "source", "remove", "mine")
    assert "mine" not in listed(tmp_path)


def test_debian_at_an_address_without_keys_must_say_that_it_is(tmp_path: Path) -> None:
    add(tmp_path, "debian", "http://a.test/debian")
    assert listed(tmp_path)["debian"]["release_origin"] == "Debian"
    assert "the Release gives Origin: Debian" in "\n".join(lines(tmp_path, "source", "list"))


def test_a_directory_of_packages_is_a_source(tmp_path: Path) -> None:
    packages = tmp_path / "debs"
    packages.mkdir()
    item = debs.Item("./usr/lib/x86_64-linux-gnu/libown.so.1", content=b"x")
    (packages / "own.deb").write_bytes(debs.deb([item]))
    add(tmp_path, "own", str(packages), "--directory")
    denizen(tmp_path, "source", "remove", "debian")
    (row,) = json.loads(denizen(tmp_path, "find", "--arch", "amd64", "--json", "libown.so.1").stdout)
    assert (row["source"], row["suite"]) == ("own", "own")


@pytest.mark.parametrize("name", [b"a b", "\u00fc%20".encode(), b"a\n\nb\xff"])
def test_a_source_may_lie_anywhere(tmp_path: Path, name: bytes) -> None:
    """In a list of sources words end at blanks."""
    place = os.path.join(os.fsencode(tmp_path), name)
    os.mkdir(place)
    with open(os.path.join(place, b"x.deb"), "wb") as file:
        file.write(debs.deb([debs.Item("./usr/lib/x86_64-linux-gnu/libx.so.1", content=b"x")]))
    add(tmp_path / "root", "mine", os.fsdecode(place), "--directory")
    denizen(tmp_path / "root", "source", "remove", "debian")
    (row,) = json.loads(denizen(tmp_path / "root", "find", "--arch", "amd64", "--json", "libx.so.1").stdout)
    assert row["source"] == "mine"
    add(
        tmp_path / "root", "theirs", "file:/x y", "--suite", "z", "--signed-by", os.fsdecode(place) + "/x.deb"
    )
    assert listed(tmp_path / "root")["theirs"]["uris"] == ["file:/x%20y"]


@pytest.mark.parametrize("option", ["--suite", "--component"])
def test_a_name_is_one_word(tmp_path: Path, option: str) -> None:
    assert "is not a name" in add(
        tmp_path, "mine", "file:/x", "--suite", "s", option, "a\n\nTypes: deb", status=2
    )


def test_debian_is_there_unasked_and_can_be_disabled(tmp_path: Path) -> None:
    assert "debian" in listed(tmp_path)
    denizen(tmp_path, "source", "remove", "debian")
    assert listed(tmp_path) == {}


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("../x", "http://a.test/"), "is not a name"),
        (("x", "ftp://a.test/", "--suite", "s"), "neither http, https nor file"),
        (("x", "http://a.test/"), "--suite is missing"),
    ],
)
def test_what_cannot_be_a_source_is_refused(tmp_path: Path, words: tuple[str, ...], reason: str) -> None:
    assert reason in add(tmp_path, *words, status=2)


def test_removing_what_there_is_not_is_an_error(tmp_path: Path) -> None:
    done = denizen(tmp_path, "source", "remove", "nobody", status=125)
    assert b"there is no source nobody" in done.stderr
