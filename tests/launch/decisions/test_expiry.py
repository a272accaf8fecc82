"""What becomes of the decisions of programs that are gone from their place."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from denizen.disk_view import DiskView
from denizen.launch.decisions.decision import Decision
from denizen.launch.decisions.decision_store import variant
from denizen.launch.decisions.expiry import expire
from denizen.launch.decisions.program_identity import identity_of
from denizen.store.layout import StoreLayout
from tests.support.debs import Item
from tests.support.offline_roots import DenizenHome

WAITS = """
#include <stdio.h>
#include <locale.h>
const char *greeting(void);
int main() { puts(greeting()); fflush(stdout); getchar(); puts(setlocale(LC_ALL, "C")); return 0; }
"""


@pytest.fixture
def home(tmp_path: Path) -> DenizenHome:
    found = DenizenHome(tmp_path)
    # Comes for its files alone: nothing of it is mapped.
    found.pack("libc-bin", [], extra=[Item("./usr/lib/locale/C.utf8/LC_CTYPE", content=b"a locale")])
    found.set_up("index", "update", "--suite", "debian")
    return found


@contextmanager
def running(home: DenizenHome, program: Path) -> Iterator[subprocess.Popen[str]]:
    """The program, at work: it has its libraries, and waits for a line before it goes on."""
    command = home.command("run", "--strategy", "namespace", os.fspath(program))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "hello from the store\n"
        yield process
        process.communicate("\n")
        assert process.returncode == 0


def packages(home: DenizenHome) -> list[str]:
    """The trees in the store, by their names without hashes."""
    found = (home.root / "data/store").glob("[!.]*-*")
    return sorted(path.name.partition("-")[2] for path in found if path.is_dir())


@pytest.mark.parametrize("deed", ["deletes", "replaces"])
def test_a_program_that_runs_on_without_its_file_keeps_all_its_decision_names(
    home: DenizenHome, deed: str
) -> None:
    program = home.compile(deed, WAITS)
    home.denizen("run", os.fspath(program))
    before = packages(home)
    assert [name for name in before if name.startswith("libc-bin")]
    with running(home, program):
        program.unlink()
        if deed == "replaces":
            program.write_bytes(b"the next version")
        said = home.denizen("gc", "--grace", "0d").stderr
        assert "libraries in use" in said
        assert packages(home) == before
    program.unlink(missing_ok=True)
    home.denizen("gc", "--grace", "0d")
    assert packages(home) == []


def test_a_program_that_is_missing_is_waited_for(home: DenizenHome) -> None:
    program = home.compile("away", "const char *greeting(void); int main() { greeting(); return 0; }\n")
    home.denizen("run", os.fspath(program))
    before = packages(home)
    disk = home.work.rename(home.root / "unmounted")  # which changes no time of the program
    assert "not mounted" in home.denizen("gc").stderr
    assert packages(home) == before
    disk.rename(home.work)
    home.denizen("gc")
    home.denizen("run", "--offline", os.fspath(program))
    program.unlink()
    home.denizen("gc", "--grace", "3d")
    old = time.time() - 4 * 86400
    for mark in home.decisions.rglob("missed/*"):
        os.utime(mark, (old, old))
    assert "kept" in home.denizen("gc").stderr
    assert packages(home) == before
    assert "forgotten" in home.denizen("gc", "--grace", "3d").stderr
    assert packages(home) == []
    assert list(home.decisions.rglob("missed/*")) == []


def test_a_program_that_was_missed_and_is_back_is_waited_for_anew(home: DenizenHome) -> None:
    program = home.compile("back", "const char *greeting(void); int main() { greeting(); return 0; }\n")
    home.denizen("run", os.fspath(program))
    for _ in range(2):
        disk = home.work.rename(home.root / "unmounted")
        home.denizen("gc")
        marks = list((home.decisions / "missed").iterdir())
        assert marks
        assert all(time.time() - mark.stat().st_mtime < 3600 for mark in marks)
        for mark in marks:
            os.utime(mark, (0, 0))
        disk.rename(home.work)
        home.denizen("gc")
    assert home.denizen("run", "--offline", os.fspath(program)).returncode == 0


def test_what_is_found_by_a_name_lives_though_its_programs_file_has_another_link(tmp_path: Path) -> None:
    """Each environment links to the files of its packages, which changes one of their times."""
    layout = StoreLayout(os.fsencode(tmp_path / "store"), b"/store")
    program = tmp_path / "program"
    program.write_bytes(b"")
    identity = identity_of(DiskView().stat(bytes(program)))
    decisions = variant(os.fsencode(tmp_path / "decisions"), b"")
    decision = Decision(identity, bytes(16), 0, b"/ld.so", program=bytes(program))
    decisions.write(decision, movable=False)
    decisions.write_named(layout, b"tree-program", decision)
    while identity_of(DiskView().stat(bytes(program))) == identity:
        os.link(program, tmp_path / "another")
        os.unlink(tmp_path / "another")
    assert expire([decisions], layout, 0).dropped == 1
    assert [name for name, _ in decisions.decisions()] == [b"named/tree-program"]
    program.unlink()
    assert expire([decisions], layout, 0).dropped == 1
