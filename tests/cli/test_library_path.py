"""`denizen run` under the user's LD_LIBRARY_PATH: what runs natively with it runs so, and only then."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from denizen.app.library_path import library_path_of
from tests.support.offline_roots import DenizenHome

# Says what the library says, and what LD_LIBRARY_PATH its children would get.
PROGRAM = """
#include <stdio.h>
#include <stdlib.h>
const char *own(void);
int main() { printf("%s %s\\n", own(), getenv("LD_LIBRARY_PATH")); }
"""
BOTH = PROGRAM.replace("int main() {", "const char *greeting(void);\nint main() { puts(greeting());")


def test_it_means_the_same_in_every_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    here = os.fspath(tmp_path)
    assert library_path_of({"LD_LIBRARY_PATH": "a;/b/../c:$ORIGIN/lib::/c"}) == (
        f"{here}/a:/c:$ORIGIN/lib:{here}"
    )
    assert library_path_of({"LD_LIBRARY_PATH": ""}) == library_path_of({}) == ""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> DenizenHome:
    return DenizenHome(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def places(home: DenizenHome) -> list[Path]:
    """Two directories with a libown.so.1 each, away from all programs."""
    made = []
    for name in ("first", "second"):
        place = home.root.parent / "elsewhere" / name
        place.mkdir(parents=True)
        own = place / "libown.so.1"
        command = ["gcc", "-shared", "-fPIC", "-x", "c", "-", "-Wl,-soname,libown.so.1", "-o", os.fspath(own)]
        subprocess.run(command, input=f'const char *own(void) {{ return "{name}"; }}'.encode(), check=True)
        made.append(place)
    return made


def compiled(home: DenizenHome, name: str, source: str, *flags: Path) -> Path:
    output = home.work / name
    command = ["gcc", "-w", "-x", "c", "-", "-x", "none", *map(os.fspath, flags), "-o", os.fspath(output)]
    subprocess.run(command, input=source.encode(), check=True)
    return output


def started(home: DenizenHome, program: Path, path: str, *options: str, status: int = 0) -> str:
    env = {**os.environ, "LD_LIBRARY_PATH": path}
    return home.denizen("run", *options, os.fspath(program), env=env, status=status).stdout


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--hermetic",), ("--strategy", "direct"), ("--strategy", "stub")])
def test_what_only_the_library_path_has_is_found_and_only_under_it(
    home: DenizenHome, places: list[Path], options: tuple[str, ...]
) -> None:
    program = compiled(home, "own", PROGRAM, places[0] / "libown.so.1")
    for place in (*places, *places):
        assert started(home, program, os.fspath(place), *options) == f"{place.name} {place}\n"
    started(home, program, "/no/such", *options, status=126)
    assert "libown.so.1" in home.denizen("run", *options, os.fspath(program), status=126).stderr


@pytest.mark.slow
def test_the_rest_is_brought(home: DenizenHome, places: list[Path]) -> None:
    program = compiled(home, "both", BOTH, places[0] / "libown.so.1", home.library("greet"))
    for place in places:
        assert started(home, program, os.fspath(place)) == f"hello from the store\n{place.name} {place}\n"


@pytest.mark.slow
def test_why_counts_it_too(home: DenizenHome, places: list[Path]) -> None:
    program = compiled(home, "asked", BOTH, places[0] / "libown.so.1", home.library("greet"))
    env = {**os.environ, "LD_LIBRARY_PATH": os.fspath(places[0])}
    assert "This starts it: denizen run" in home.denizen("why", os.fspath(program), env=env).stdout
    assert "no package of" in home.denizen("why", os.fspath(program), status=1).stdout


@pytest.mark.slow
def test_a_relative_path_is_of_the_working_directory(
    home: DenizenHome, places: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = compiled(home, "relative", PROGRAM, places[0] / "libown.so.1")
    for place in places:
        monkeypatch.chdir(place)
        assert started(home, program, ".") == f"{place.name} .\n"


@pytest.mark.slow
def test_where_it_goes_the_program_goes_too(home: DenizenHome, places: list[Path]) -> None:
    program = compiled(home, "gone", PROGRAM, places[0] / "libown.so.1")
    passing = home.root.parent / "passing"
    shutil.copytree(places[0], passing)
    assert started(home, program, os.fspath(passing)) == f"first {passing}\n"
    shutil.rmtree(passing)
    started(home, program, os.fspath(passing), status=126)


@pytest.mark.slow
def test_one_that_has_no_part_in_it_makes_no_decision_of_its_own(
    home: DenizenHome, places: list[Path]
) -> None:
    program = compiled(home, "plain", '#include <stdio.h>\nint main() { puts("plain"); }')
    before = sum(len(files) for _, _, files in os.walk(home.decisions / "with"))
    for place in ("/no/such", *map(os.fspath, places), ""):
        assert started(home, program, place) == "plain\n"
    assert sum(len(files) for _, _, files in os.walk(home.decisions / "with")) == before


@pytest.mark.slow
def test_a_plan_names_what_it_leads_to(home: DenizenHome, places: list[Path]) -> None:
    program = compiled(home, "planned", PROGRAM, places[0] / "libown.so.1")
    assert "libown.so.1  LD_LIBRARY_PATH leads to it: " in started(
        home, program, os.fspath(places[1]), "--hermetic", "--plan"
    )
