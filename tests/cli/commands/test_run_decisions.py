"""`denizen run`: which decision is kept, followed, or made again."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from denizen.app.start_request import RunRequest
from denizen.disk_view import DiskView
from denizen.launch.decisions import GENERATION
from denizen.launch.decisions.decision_codec import decode, encode
from denizen.launch.decisions.program_identity import identity_name, identity_of
from denizen.value import replace
from tests.support.debs import Item
from tests.support.offline_roots import DenizenHome
from tests.support.untraced import environment

pytestmark = pytest.mark.slow


def test_the_second_start_asks_neither_sources_nor_store(home: DenizenHome, tmp_path: Path) -> None:
    program = home.compile("twice")
    home.denizen("run", os.fspath(program))
    hidden = home.debs.rename(tmp_path / "debs")
    index = (home.root / "cache").rename(tmp_path / "cache")
    try:
        assert home.denizen("run", os.fspath(program)).stdout.startswith("hello from the store")
    finally:
        hidden.rename(home.debs)
        index.rename(home.root / "cache")


def test_offline_follows_what_was_decided_before_where_it_cannot_decide(
    home: DenizenHome, tmp_path: Path
) -> None:
    """Then what it misses while it runs may be fetched, which is said."""
    program = home.compile("before-offline")
    home.denizen("run", os.fspath(program))
    other = home.compile("never-before", "int greeting(); int never; int main() { return greeting(), 3; }\n")
    hidden = home.debs.rename(tmp_path / "debs")
    index = (home.root / "cache").rename(tmp_path / "cache")
    try:
        for _ in range(2):
            done = home.denizen("run", "--offline", os.fspath(program))
            assert done.stdout.startswith("hello from the store")
            assert "denizen: in spite of --offline it may fetch while it runs: " in done.stderr
        assert home.denizen("run", "--offline", os.fspath(other), status=None).returncode in (125, 126)
    finally:
        hidden.rename(home.debs)
        shutil.rmtree(home.root / "cache", ignore_errors=True)
        index.rename(home.root / "cache")
    assert home.denizen("run", "--offline", os.fspath(program)).stderr == ""


def test_a_changed_program_is_decided_anew(home: DenizenHome) -> None:
    program = home.compile("changes")
    home.denizen("run", os.fspath(program))
    library = home.add_library("second", "int second(void) { return 2; }\n")
    home.set_up("index", "update", "--suite", "debian")
    newer = home.compile("changes", "int second(void); int main() { return second(); }\n", os.fspath(library))
    home.denizen("run", os.fspath(newer), status=2)


def test_a_moved_program_is_known_by_its_content(home: DenizenHome) -> None:
    program = home.compile("moves", "int greeting(); int main() { greeting(); return 3; }\n")
    home.denizen("run", os.fspath(program), status=3)
    moved = home.work / "elsewhere"
    shutil.copy(program, moved)
    program.unlink()
    shutil.move(home.debs, home.debs.with_name("gone"))
    try:
        home.denizen("run", "--offline", os.fspath(moved), status=3)
    finally:
        shutil.move(home.debs.with_name("gone"), home.debs)


def test_collection_between_two_starts_keeps_what_it_needs(home: DenizenHome, program: Path) -> None:
    home.denizen("run", os.fspath(program))
    home.denizen("gc")
    assert home.denizen("run", "--offline", os.fspath(program)).stdout.startswith("hello from the store")


def test_collection_keeps_packages_that_came_for_their_files(home: DenizenHome) -> None:
    home.pack("libc-bin", [], extra=[Item("./usr/lib/locale/C.utf8/LC_CTYPE", content=b"a locale")])
    home.set_up("index", "update", "--suite", "debian")
    source = (
        "#include <locale.h>\nint greeting();\n"
        'int main() { greeting(); return setlocale(LC_ALL, "C") ? 6 : 7; }\n'
    )
    program = home.compile("speaks", source)
    home.denizen("run", os.fspath(program), status=6)
    (tree,) = [p for p in (home.root / "data" / "store").glob("*-libc-bin-*") if p.is_dir()]
    home.denizen("gc")
    assert tree.is_dir()
    program.unlink()
    home.denizen("gc", "--grace", "0d")
    assert not tree.exists()


def test_collection_keeps_what_a_moved_program_needs(home: DenizenHome) -> None:
    # A library of its own: what other programs need too is kept for them.
    library = home.add_library("wander", "int wander(void) { return 8; }\n")
    home.set_up("index", "update", "--suite", "debian")
    source = "int wander(void); int main() { return wander(); }\n"
    program = home.compile("wanders", source, os.fspath(library))
    home.denizen("run", os.fspath(program), status=8)
    moved = program.rename(home.work / "wandered")
    home.denizen("run", "--offline", os.fspath(moved), status=8)
    home.denizen("gc")
    shutil.move(home.debs, home.debs.with_name("gone"))
    try:
        home.denizen("run", "--offline", os.fspath(moved), status=8)
    finally:
        shutil.move(home.debs.with_name("gone"), home.debs)


def test_collection_forgets_programs_that_are_gone(home: DenizenHome) -> None:
    program = home.compile("goes", "int greeting(); int main() { greeting(); return 0; }\n")
    home.denizen("run", os.fspath(program))
    before = len(list(home.decisions.iterdir()))
    program.unlink()
    assert "decisions forgotten" in home.denizen("gc", "--grace", "0d").stderr
    assert len(list(home.decisions.iterdir())) < before


def test_half_a_store_is_made_whole(home: DenizenHome, program: Path) -> None:
    home.denizen("run", os.fspath(program))
    store = home.root / "data" / "store"
    for found in store.glob("*-libgreet1-*"):
        if not found.name.endswith((".deb", ".drv")):
            subprocess.run(["chmod", "-R", "u+w", found], check=True)
            shutil.rmtree(found)
    home.denizen("store", "verify", "--repair", status=None)
    assert home.denizen("run", os.fspath(program)).stdout.startswith("hello from the store")


@pytest.mark.parametrize("through_loader", [False, True])
@pytest.mark.parametrize("file", ["libgreet.so.1", "ld-linux-x86-64.so.2"])
def test_a_single_file_that_is_gone_from_the_store_is_brought_again(
    home: DenizenHome, program: Path, file: str, *, through_loader: bool
) -> None:
    link = home.root / "link"
    home.denizen("loader", "link", os.fspath(program), os.fspath(link))
    for found in (home.root / "data" / "store").glob(f"*/usr/lib/*/{file}"):
        found.parent.chmod(0o755)
        found.unlink()
    if through_loader:
        done = subprocess.run([link], capture_output=True, text=True, check=False, timeout=60)
    else:
        done = home.denizen("run", os.fspath(program))
    assert done.stdout.startswith("hello from the store"), done.stderr
    home.denizen("store", "verify", "--contents")


def test_what_older_rules_decided_is_decided_again(home: DenizenHome, program: Path) -> None:
    home.denizen("run", os.fspath(program))
    file = _age(home, program)
    home.denizen("run", os.fspath(program))
    assert decode(file.read_bytes()).generation == GENERATION


def test_what_older_rules_decided_is_followed_where_it_cannot_be_decided_again(
    home: DenizenHome, program: Path
) -> None:
    home.denizen("run", os.fspath(program))
    link = home.root / "aged"
    home.denizen("loader", "link", os.fspath(program), os.fspath(link))
    _age(home, program)
    places = [home.debs, home.root / "cache", home.root / "data" / "index"]
    moved = [place for place in places if place.exists()]
    for place in moved:
        place.rename(place.with_name(f"{place.name}-away"))
    try:
        done = home.denizen("run", os.fspath(program))
        linked = subprocess.run([link], capture_output=True, text=True, check=False, timeout=60)
    finally:
        for place in moved:
            shutil.rmtree(place, ignore_errors=True)
            place.with_name(f"{place.name}-away").rename(place)
    assert done.stdout.startswith("hello from the store")
    assert "not decided again" in done.stderr
    assert linked.stdout.startswith("hello from the store")


def test_a_start_by_a_strategys_name_follows_no_decision_of_an_earlier_generation(
    home: DenizenHome, program: Path
) -> None:
    words = ("run", "--strategy", "direct", os.fspath(program))
    home.denizen(*words)
    directory = home.decisions / "with" / os.fsdecode(RunRequest(strategy="direct").variant)
    file = _age(home, program, directory)
    assert home.denizen(*words).stdout.startswith("hello from the store")
    assert decode(file.read_bytes()).generation == GENERATION


def _age(home: DenizenHome, program: Path, directory: Path | None = None) -> Path:
    """The decision about it as an earlier generation made it."""
    name = os.fsdecode(identity_name(identity_of(DiskView().stat(os.fsencode(program)))))
    file = (directory or home.decisions) / name
    file.write_bytes(encode(replace(decode(file.read_bytes()), generation=GENERATION - 1)))
    for other in home.decisions.glob("b-*"):
        other.unlink()
    return file


@pytest.mark.parametrize("damage", [b"", b"DENIZEN\x01", b"garbage" * 40])
def test_a_damaged_decision_is_made_again(home: DenizenHome, program: Path, damage: bytes) -> None:
    home.denizen("run", os.fspath(program))
    facts = program.stat()
    name = "-".join(
        f"{n:x}" for n in (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)
    )
    (home.decisions / name).write_bytes(damage)
    assert home.denizen("run", os.fspath(program)).stdout.startswith("hello from the store")


def test_a_decision_others_may_write_is_not_believed(home: DenizenHome, program: Path) -> None:
    home.denizen("run", os.fspath(program))
    for file in home.decisions.iterdir():
        if file.is_file():
            file.chmod(0o666)
    home.denizen("run", os.fspath(program))
    facts = program.stat()
    (file,) = [f for f in home.decisions.iterdir() if f"-{facts.st_ino:x}-" in f.name]
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_hundred_first_starts_at_once_decide_once(home: DenizenHome) -> None:
    program = home.compile("hundred", "int greeting(); int main() { greeting(); return 4; }\n")
    command = home.command("-v", "run", os.fspath(program))
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(100)]
    said = [process.communicate(timeout=300)[1] for process in running]
    assert {process.returncode for process in running} == {4}
    assert sum("deciding" in text for text in said) == 1


def test_first_starts_of_different_programs_at_once_all_start(tmp_path: Path) -> None:
    """Nothing is cached, and all want the same packages."""
    home = DenizenHome(tmp_path)
    home.set_up("index", "update")
    programs = [
        home.compile(f"first{number}", f"int greeting(); int main() {{ greeting(); return {number}; }}")
        for number in range(1, 9)
    ]
    crowd = [
        subprocess.Popen(home.command("run", os.fspath(one)), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for one in programs
    ]
    said = [one.communicate(timeout=120)[1] for one in crowd]
    assert [one.returncode for one in crowd] == [*range(1, 9)], said


@pytest.mark.parametrize("moment", [0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4])
def test_interrupted_anywhere_the_next_start_is_whole(home: DenizenHome, moment: float) -> None:
    name = f"stopped{moment}"
    library = home.add_library(name.replace(".", "-"), f"int own(void) {{ return {int(moment * 100)}; }}\n")
    program = home.compile(name, "int own(void); int main() { own(); return 8; }\n", os.fspath(library))
    home.set_up("index", "update")
    command = home.command("-v", "run", os.fspath(program))
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment())
    assert process.stderr is not None
    process.stderr.readline()  # from here on it is Python's start that is behind it, and our work before it
    time.sleep(moment)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert process.returncode in (8, 130, -signal.SIGINT)
    assert "Traceback" not in said
    home.denizen("run", os.fspath(program), status=8)
    home.denizen("store", "verify")


def test_what_was_first_started_in_a_namespace_starts_by_itself_too(home: DenizenHome) -> None:
    child = home.compile("first-a-child")
    script = home.work / "starts-a-child"
    script.write_text(f'#!/bin/sh\nexec "{child}"\n')
    script.chmod(0o755)
    home.denizen("run", "--strategy", "namespace", os.fspath(script))
    assert home.denizen("run", os.fspath(child)).stdout.startswith("hello from the store")
    assert home.denizen("run", os.fspath(script)).stdout.startswith("hello from the store")


def test_a_link_starts_a_program_without_python(home: DenizenHome, program: Path) -> None:
    link = home.work / "bin" / "greet-link"
    link.parent.mkdir()
    home.denizen("loader", "link", os.fspath(program), os.fspath(link))
    done = subprocess.run([link, "a b"], capture_output=True, text=True, check=True, env={})
    assert done.stdout.splitlines() == ["hello from the store", f"[{program}]", "[a b]"]
    home.denizen("loader", "link", os.fspath(program), os.fspath(link))
    other = home.compile("other")
    assert "starts" in home.denizen("loader", "link", os.fspath(other), os.fspath(link), status=125).stderr
    precious = link.with_name("precious")
    precious.write_text("mine")
    home.denizen("loader", "link", os.fspath(program), os.fspath(precious), status=125)
    assert precious.read_text() == "mine"


def test_what_the_host_has_no_more_is_brought(home: DenizenHome) -> None:
    library = home.add_library("leaves", "int leaves(void) { return 7; }\n")
    own = home.work / "own-lib"
    own.mkdir()
    shutil.copy(library, own / library.name)
    source = "int leaves(void); int main() { return leaves(); }\n"
    program = home.compile("leaver", source, os.fspath(library), f"-Wl,-rpath,{own}", "-Wl,--as-needed")
    home.set_up("index", "update")
    plan = json.loads(home.denizen("run", "--json", "--plan", os.fspath(program)).stdout)
    assert plan["strategy"]["chosen"] == "host"
    home.denizen("run", os.fspath(program), status=7)
    shutil.rmtree(own)
    home.denizen("run", os.fspath(program), status=7)
