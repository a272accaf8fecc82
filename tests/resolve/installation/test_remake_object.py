"""Damaged objects are made again from their packages, by `run` and by `store verify --repair`."""

import json
import os
from pathlib import Path

import pytest

from tests.support.offline_roots import TRIPLET, DenizenHome

GREETING = "hello from the store"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> DenizenHome:
    return DenizenHome(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def program(home: DenizenHome) -> Path:
    found = home.compile("mended")
    home.denizen("run", os.fspath(found))
    return found


def library(home: DenizenHome) -> Path:
    (found,) = (home.root / "data/store").glob(f"*-libgreet1-*/{TRIPLET}/libgreet.so.1")
    return found


def damage(path: Path, kind: str) -> None:
    """As an editor, a full disk or a failing one would; a disk changes no time."""
    facts = path.stat()
    os.chmod(path.parent, 0o755)
    os.chmod(path, 0o644)
    if kind == "gone":
        path.unlink()
    elif kind == "empty":
        os.truncate(path, 0)
    elif kind == "cut":
        os.truncate(path, facts.st_size // 2)
    else:
        path.write_bytes(bytes(facts.st_size))
    if kind != "gone":
        os.chmod(path, 0o444)
    if kind == "rotten":
        os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    os.chmod(path.parent, 0o555)


@pytest.mark.parametrize("kind", ["gone", "empty", "cut", "zeros"])
def test_a_decided_program_starts_though_its_library_was_damaged(
    home: DenizenHome, program: Path, kind: str
) -> None:
    damage(library(home), kind)
    assert home.denizen("run", "--offline", os.fspath(program)).stdout.startswith(GREETING)
    assert home.denizen("store", "verify", "--contents").returncode == 0


@pytest.mark.parametrize("kind", ["gone", "empty", "cut", "zeros", "rotten"])
def test_a_program_is_decided_though_a_library_it_chooses_is_damaged(
    home: DenizenHome, program: Path, kind: str
) -> None:
    other = home.compile(f"other-{kind}")
    damage(library(home), kind)
    assert home.denizen("run", "--offline", os.fspath(other)).stdout.startswith(GREETING)
    assert home.denizen("run", os.fspath(program)).stdout.startswith(GREETING)
    assert home.denizen("store", "verify", "--contents").returncode == 0


@pytest.mark.parametrize("kind", ["gone", "empty", "zeros", "rotten", "object"])
def test_verify_makes_a_damaged_package_again(home: DenizenHome, program: Path, kind: str) -> None:
    path = library(home)
    if kind == "object":
        tree = home.root / "data/store" / path.relative_to(home.root / "data/store").parts[0]
        tree.chmod(0o755)  # moving a directory writes its `..`, which only root may where it is read-only
        tree.rename(home.root / kind)
    else:
        damage(path, kind)
    found = json.loads(home.denizen("store", "verify", "--contents", "--json", status=125).stdout)
    assert [problem["fault"] for problem in found] == ["missing" if kind == "object" else "content"]
    mended = json.loads(home.denizen("store", "verify", "--contents", "--repair", "--json").stdout)
    assert [problem["repaired"] for problem in mended] == [True]
    assert home.denizen("store", "verify", "--contents").returncode == 0
    assert home.denizen("run", os.fspath(program)).stdout.startswith(GREETING)


def test_verify_plans_a_damaged_directory_of_links_again(home: DenizenHome, program: Path) -> None:
    (tree,) = (home.root / "data/store").glob("*-libraries")
    os.chmod(tree, 0o755)
    (tree / "libgreet.so.1").unlink()
    damage(library(home), "zeros")
    home.denizen("store", "verify", "--contents", "--repair")
    assert home.denizen("store", "verify", "--contents").returncode == 0
    assert home.denizen("run", os.fspath(program)).stdout.startswith(GREETING)


def test_what_cannot_be_made_again_says_why(home: DenizenHome) -> None:
    (home.work / "text").write_text("text")
    place = Path(home.denizen("store", "add", os.fspath(home.work / "text")).stdout.strip())
    os.chmod(place, 0o644)
    place.write_text("other")
    done = home.denizen("store", "verify", "--contents", "--repair", status=125)
    assert "--from DIR" in done.stdout
    place.unlink()
    home.denizen("gc")
