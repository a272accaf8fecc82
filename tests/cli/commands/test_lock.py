"""`denizen lock`, and `why` with a resolution, over packages made here."""

import json
import os
import shutil
import time
import tomllib
from pathlib import Path

import pytest

from denizen.resolve.cache.resolution_cache import STILL_NS
from denizen.resolve.lock import parse
from tests.support.offline_roots import DenizenHome

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> DenizenHome:
    made = DenizenHome(tmp_path_factory.mktemp("home"))
    made.add_library("spare", "int spare(void) { return 1; }\n")
    return made


@pytest.fixture(scope="module")
def program(home: DenizenHome) -> str:
    return os.fspath(home.compile("greet"))


def test_the_lock_goes_to_stdout_and_is_one_that_can_be_read(home: DenizenHome, program: str) -> None:
    text = home.denizen("lock", program).stdout
    # The C library's other parts come along unasked.
    chosen = [choice for choice in parse(text.encode()).choices if choice.wish != "companion"]
    assert [choice.soname for choice in chosen] == [
        b"ld-linux-x86-64.so.2",
        b"libc.so.6",
        b"libgreet.so.1",
    ]
    assert tomllib.loads(text)["package"][0]["source"] == "debian"


def test_a_command_is_found_in_path(home: DenizenHome, program: str) -> None:
    there = {**os.environ, "PATH": f"{os.path.dirname(program)}:{os.environ['PATH']}"}
    found = home.denizen("lock", os.path.basename(program), env=there, directory=home.debs).stdout
    assert found == home.denizen("lock", program).stdout


def test_a_lock_in_a_file_leaves_stdout_to_what_was_chosen(
    home: DenizenHome, program: str, tmp_path: Path
) -> None:
    target = tmp_path / "greet.lock"
    done = home.denizen("lock", program, "-o", os.fspath(target))
    assert parse(target.read_bytes()).is_complete
    assert "libgreet1 1.0-1" in done.stdout + done.stderr


def test_the_same_question_has_the_same_bytes(home: DenizenHome, program: str) -> None:
    assert home.denizen("lock", program).stdout == home.denizen("lock", program).stdout


def test_a_lock_that_is_told_again_has_the_bytes_of_one_that_is_made_anew(
    home: DenizenHome, program: str
) -> None:
    cache = home.root / "cache"
    time.sleep(max(0.0, os.stat(program).st_ctime + STILL_NS / 1e9 + 0.1 - time.time()))
    made = home.denizen("lock", program).stdout
    for name in ("facts", "packages"):
        shutil.rmtree(cache / name)
    assert home.denizen("lock", "--offline", program).stdout == made
    assert not (cache / "facts").exists()
    shutil.rmtree(cache / "resolutions")
    assert home.denizen("lock", program).stdout == made
    assert (cache / "facts").exists()


def test_json_has_every_choice_with_its_reason(home: DenizenHome, program: str) -> None:
    found = json.loads(home.denizen("lock", "--json", program).stdout)
    assert found["complete"] is True
    (greet,) = [library for library in found["libraries"] if library["soname"] == "libgreet.so.1"]
    assert (greet["package"], greet["rule"], greet["needed_by"]) == ("libgreet1", "only", "greet")


@pytest.mark.parametrize("name", ["libspare.so.1", "libspare1"])
def test_with_adds_a_soname_or_a_package(home: DenizenHome, program: str, name: str) -> None:
    found = json.loads(home.denizen("lock", "--json", "--with", name, program).stdout)
    assert {"name": "libspare1"}.items() <= found["packages"][-1].items()


def test_what_stays_open_is_in_the_lock_and_in_the_status(home: DenizenHome, program: str) -> None:
    done = home.denizen("lock", "--with", "libnobody.so.9", program, status=1)
    (problem,) = parse(done.stdout.encode()).problems
    assert problem.subject == b"libnobody.so.9"


def test_a_directory_is_locked_as_the_union_of_its_objects(
    home: DenizenHome, program: str, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "one").write_bytes(Path(program).read_bytes())
    (tree / "readme").write_text("no object")
    found = json.loads(home.denizen("lock", "--json", os.fspath(tree)).stdout)
    assert "libgreet.so.1" in [library["soname"] for library in found["libraries"]]


def test_a_directory_without_objects_is_said_so(home: DenizenHome, tmp_path: Path) -> None:
    done = home.denizen("lock", os.fspath(tmp_path), status=None)
    assert done.returncode == 125
    assert "no dynamically linked program" in done.stderr


def test_a_program_that_is_not_there_is_said_so(home: DenizenHome) -> None:
    assert "there is no program /no/such" in home.denizen("lock", "/no/such/program", status=127).stderr


def test_why_shows_packages_with_their_reasons_and_sizes(home: DenizenHome, program: str) -> None:
    done = home.denizen("why", program)
    assert "libgreet1 1.0-1" in done.stdout
    assert "no other package has it" in done.stdout
    assert "to fetch" in done.stdout


def test_why_tells_what_stays_open_among_its_problems(home: DenizenHome) -> None:
    library = home.add_library("gone", "int gone(void) { return 1; }\n")
    lacking = home.compile("lacking", "int gone(); int main() { return gone(); }\n", os.fspath(library))
    (home.debs / "libgone1_1.0-1_amd64.deb").unlink()
    home.set_up("index", "update", "--suite", "debian")
    done = home.denizen("why", "--json", os.fspath(lacking), status=1)
    found = json.loads(done.stdout)
    assert [one["subject"] for one in found["resolution"]["open"]] == ["libgone.so.1"]
    assert "resolution-incomplete" in [problem["code"] for problem in found["problems"]]
    assert "libgone.so.1" in home.denizen("why", os.fspath(lacking), status=1).stdout.split("with denizen")[1]
