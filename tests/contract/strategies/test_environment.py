"""A program with a whole /usr around it (strategy fhs) gets what it opens and executes as any other."""

import gzip
import os
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contract.strategies.started import FACTS, Started
from tests.support.debs import Item, symlink
from tests.support.fhs_environments import base_packages
from tests.support.offline_roots import LDSO, LIBC_FILES, VERSION, DenizenHome

pytestmark = pytest.mark.slow

_OPENS = """
#include <dlfcn.h>
#include <stdio.h>
const char *greeting(void);
int main(int count, char **words) {
    greeting();
    for (int i = 1; i < count; i++) puts(dlopen(words[i], RTLD_NOW) ? "opened" : dlerror());
    return 0;
}
"""
_ABSENT = "cannot open shared object file: No such file or directory"


_READS = """
#include <stdio.h>
const char *greeting(void);
int main(void) {
    char line[99];
    FILE *words = fopen("/usr/lib/player/words", "r");
    fputs(words && fgets(line, 99, words) ? line : "nothing\\n", stdout);
    return !greeting();
}
"""


_PLACES = """
#include <stdio.h>
#include <unistd.h>
const char *greeting(void);
int main(int count, char **words) {
    char path[999] = {0};
    readlink("/proc/self/exe", path, sizeof path - 1);
    printf("%s %s\\n", words[0], path);
    return !greeting();
}
"""


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Started:
    home = DenizenHome(tmp_path_factory.mktemp("environment"))
    packages, libraries = base_packages()
    others = [one for one in libraries if Path(one.name).name not in LIBC_FILES]
    for name, items in packages.items():
        home.write(name, [*items, *(others if name == "coreutils" else [])])
    script = b"#!/bin/sh\necho only $1\nexit 6\n"
    home.write("tools", [Item("./usr/bin/made-up-name", content=script, mode=0o755)])
    home.write("player-data", [Item("./usr/lib/player/words", content=b"words of another package\n")])
    home.write("reader", [symlink("./usr/bin/reader", "/bin/sh")])
    words = [Item("./usr/lib/player/words", content=b"words of a language\n")]
    home.write("words", words, section="localization")
    for name, relation in (
        ("player", f"player-data (= {VERSION}), libgreet1"),
        ("sayer", f"player-data (>= {VERSION})"),
        ("talker", "nobody-has-it | words, libgreet1"),
    ):
        home.write(name, [Item(f"./usr/bin/{name}", content=b"", mode=0o755)], depends=relation)
    for name, source, section, content in (
        ("drawer-words", "drawer", "graphics", b"words of its source\n"),
        ("drawer-doc", "drawer", "doc", b"words for people\n"),
        ("compiler-words", "others", "libdevel", b"words of a compiler\n"),
        ("large-words", "large", "games", random.Random(6).randbytes(1_100_000)),
        ("offline-words", "offline", "games", b"words that are not here\n"),
    ):
        items = [Item("./usr/lib/player/words", content=content)]
        home.write(name, items, source=source, section=section)
    for name, source, section, recommends in (
        ("drawer", "drawer", "graphics", "drawer-words, drawer-doc, words"),
        ("reading", "drawer", "graphics", "drawer-doc"),
        ("painter", "painter", "graphics", "compiler-words, words"),
        ("compiler", "compiler", "devel", "compiler-words | nobody, words"),
        ("large", "large", "games", "large-words"),
        ("offline", "offline", "games", "offline-words"),
    ):
        items = [Item(f"./usr/bin/{name}", content=b"", mode=0o755)]
        # Data of its own release, by which it gets an environment at all.
        home.write(
            name, items, depends=f"{name}-own (= {VERSION}), libgreet1", source=source, section=section,
            recommends=recommends,
        )  # fmt: skip
        home.write(f"{name}-own", [Item(f"./usr/share/{name}/own", content=b"")])
    started = Started(home, "fhs", Path("/nonexistent"))
    code = started.compile("reads", _READS).read_bytes()
    for name, content in (("viewer", code), ("newer", code + b"of another release")):
        items = [Item("./usr/bin/program", content=content, mode=0o755)]
        home.write(name, items, depends=f"player-data (= {VERSION}), libgreet1")
    script = f"GROUP ( libc.so.6 AS_NEEDED ( {LDSO} ) )\n".encode()
    home.write("libc6-dev", [Item(f"./usr{LDSO.parent}/libc.so", content=script)])
    home.write("keeper", [Item("./usr/lib/player/words", content=b"words of its own\n")])
    places = started.compile("places", _PLACES).read_bytes()
    items = [Item("./usr/bin/program", content=places, mode=0o755)]
    home.write("placed", items, depends=f"player-data (= {VERSION}), libgreet1")
    for name in ("comes", "needs"):
        home.add_library(name, f"int {name}(void) {{ return 6; }}")
    return started


@pytest.fixture(scope="module")
def program(started: Started) -> Path:
    made = started.compile("facts", FACTS)
    assert started.run(made, "exit", "0").returncode == 0
    return made


def _lines(started: Started, program: Path, *words: str, env: dict[str, str] | None = None) -> list[str]:
    """What it prints; denizen says that it makes an environment, as nobody keeps what --strategy asks for."""
    done = started.run(program, *words, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().splitlines()


def test_what_it_opens_and_a_plugin_needs_is_brought(started: Started, tmp_path: Path) -> None:
    plugin = tmp_path / "plugin.so"
    source = tmp_path / "plugin.c"
    source.write_text("int needs(void); int plugged(void) { return needs(); }")
    library = started.home.library("needs")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", plugin, source, library], check=True)
    opens = started.compile("opens", _OPENS)
    assert started.run(opens).returncode == 0
    assert _lines(started, opens, os.fspath(plugin), "libcomes.so.1") == ["opened", "opened"]
    assert _lines(started, opens, "libnobody.so.1") == [f"libnobody.so.1: {_ABSENT}"]


def test_its_shell_and_commands_put_together_while_it_runs_are_there(started: Started, program: Path) -> None:
    env = {"PATH": "/usr/bin"}
    assert _lines(started, program, "popen", "echo $(echo from the shell)", env=env) == ["from the shell"]
    for how in ("execvp", "spawnp"):
        done = started.run(program, how, "made-up-name", "x", "told", env=env)
        assert (done.returncode, done.stdout) == (6, b"only told\n")
    assert started.run(program, "execvp", "nobody-has-it", "x", env=env).returncode == 255


def test_a_child_whose_interpreter_is_nowhere_runs(started: Started, program: Path, tmp_path: Path) -> None:
    linker = f"/nix/store/0c5vdxlp40vdr1sxq2kr1xvxzkjqj6cf-glibc-2.40/lib/{LDSO.name}"
    child = tmp_path / "child"
    text = tmp_path / "child.c"
    text.write_text("int main(int count, char **words) { return count; }")
    subprocess.run(["gcc", f"-Wl,--dynamic-linker={linker}", "-o", child, text], check=True)
    for _ in range(2):
        assert started.run(program, "execv", os.fspath(child), "x", "y", "z").returncode == 3


_SCRIPT = b"#!/usr/bin/reader\nread words < /usr/lib/player/words && echo $words || echo nothing\n"


def _static(directory: Path) -> bytes:
    """Return a program without a dynamic linker: nothing of it tells what it opens."""
    (directory / "static.c").write_text(_READS + 'const char *greeting(void) { return ""; }')
    subprocess.run(["gcc", "-w", "-static", "-o", directory / "static", directory / "static.c"], check=True)
    return (directory / "static").read_bytes()


@pytest.fixture
def unpack(started: Started, tmp_path: Path) -> Callable[[str, str, str], Path]:
    """Make a program of a package that is unpacked as `dpkg-deb -x` does: of a kind, a package, a version.

    Without a version the documents are a link to those of another package.
    """

    def make(kind: str, package: str, version: str) -> Path:
        program, documents = tmp_path / "usr/bin/program", tmp_path / "usr/share/doc" / package
        program.parent.mkdir(parents=True)
        documents.parent.mkdir(parents=True)
        code = _static(tmp_path) if kind == "static" else started.compile("reads", _READS).read_bytes()
        if package == "keeper":  # what it has besides, where it was unpacked
            (tmp_path / "usr/lib/player").mkdir(parents=True)
        program.write_bytes(_SCRIPT if kind == "script" else code)
        program.chmod(0o755)
        if not version:
            documents.symlink_to("program-common")
            return program
        documents.mkdir()
        line = f"{package} ({version}) unstable; urgency=low\n"
        (documents / "changelog.gz").write_bytes(gzip.compress(line.encode()))
        return program

    return make


@pytest.mark.parametrize(
    ("unpacked", "expected"),
    [
        (("machine code", "player", VERSION), b"words of another package\n"),
        (("machine code", "player", VERSION + "+deb12u1"), b"words of another package\n"),
        (("machine code", "player", "2.0-1"), b"nothing\n"),  # nobody has its release
        (("machine code", "sayer", VERSION), b"nothing\n"),  # no library of its own release, and nothing else
        (("machine code", "talker", VERSION), b"words of a language\n"),
        (("machine code", "viewer", ""), b"words of another package\n"),
        (("machine code", "newer", ""), b"nothing\n"),  # another release has the program
        (("machine code", "keeper", VERSION), b"words of its own\n"),
        (("machine code", "drawer", VERSION), b"words of its source\n"),
        (("machine code", "reading", VERSION), b"nothing\n"),  # documentation
        (("machine code", "painter", VERSION), b"nothing\n"),  # of other sources, for people
        (("machine code", "compiler", VERSION), b"words of a compiler\n"),
        (("static", "player", VERSION), b"words of another package\n"),
        (("static", "player", "2.0-1"), b"nothing\n"),
        (("static", "sayer", VERSION), b"nothing\n"),
        (("script", "player", VERSION), b"words of another package\n"),
        (("script", "sayer", VERSION), b"words of another package\n"),  # it gets an environment anyway
        (("script", "player", "2.0-1"), b"nothing\n"),
    ],
)
def test_a_program_of_an_unpacked_package_has_what_the_package_depends_on(
    unpack: Callable[[str, str, str], Path],
    started: Started,
    unpacked: tuple[str, str, str],
    expected: bytes,
) -> None:
    command = started.home.command("run", os.fspath(unpack(*unpacked)))
    for _ in range(2):
        done = subprocess.run(command, env={}, capture_output=True, check=False, timeout=60)
        assert (done.returncode, done.stdout) == (0, expected), done.stderr


def test_what_an_unpacked_package_recommends_is_left_out_over_the_budget(
    unpack: Callable[[str, str, str], Path], started: Started
) -> None:
    program = unpack("machine code", "large", VERSION)
    budget = started.home.root / "config/budget"
    budget.parent.mkdir(exist_ok=True)
    budget.write_text("1\n")
    try:
        command = started.home.command("run", os.fspath(program))
        done = subprocess.run(command, env={}, capture_output=True, check=False, timeout=60)
    finally:
        budget.unlink()
    assert (done.returncode, done.stdout) == (0, b"nothing\n"), done.stderr
    left_out = b"large-words, which its package recommends, is left out: with what it needs it is 1 MB"
    assert left_out in done.stderr, done.stderr


def test_what_an_unpacked_package_recommends_is_left_out_where_nothing_may_be_fetched(
    unpack: Callable[[str, str, str], Path], started: Started
) -> None:
    """Without it the program starts, as its own packages are here: one of them was tried before."""
    program = unpack("machine code", "offline", VERSION)
    program.write_bytes(started.compile("offline", _READS.replace("nothing", "alone")).read_bytes())
    environment = started.home.command("fhs", "create", "offline-base", "offline")
    assert subprocess.run(environment, env={}, capture_output=True, check=False, timeout=60).returncode == 0
    command = started.home.command("run", "--offline", os.fspath(program))
    done = subprocess.run(command, env={}, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, b"alone\n"), done.stderr
    assert b"offline-words, which its package recommends, is left out" in done.stderr, done.stderr


def test_a_program_of_an_unpacked_package_is_where_the_package_has_it(
    unpack: Callable[[str, str, str], Path], started: Started
) -> None:
    """It finds what lies beside itself by its own path."""
    program = unpack("machine code", "placed", "")
    program.write_bytes(started.compile("places", _PLACES).read_bytes())
    command = started.home.command("run", os.fspath(program))
    for _ in range(2):
        done = subprocess.run(command, env={}, capture_output=True, check=False, timeout=60)
        assert (done.returncode, done.stdout) == (0, b"/usr/bin/program /usr/bin/program\n"), done.stderr


def test_a_child_of_an_unpacked_package_is_started_by_its_libraries_alone(
    unpack: Callable[[str, str, str], Path], started: Started, program: Path
) -> None:
    """It enters no environment, so that its decision must name no library of one."""
    child = unpack("machine code", "player", VERSION)
    # Not the program of the other tests, whose decision would be the child's.
    child.write_bytes(started.compile("child", _READS.replace("nothing", "no words")).read_bytes())
    command = started.home.command(
        "run", "--strategy", "namespace", os.fspath(program), "execv", os.fspath(child), "x"
    )
    for _ in range(2):
        done = subprocess.run(command, env={}, capture_output=True, check=False, timeout=60)
        assert (done.returncode, done.stdout) == (0, b"no words\n"), done.stderr


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("player-data", b"words of another package\n"),
        ("sayer", b"words of another package\n"),  # it depends on that one
        ("libcomes.so.1", b"nothing\n"),
    ],
)
def test_packages_that_the_user_names_are_in_the_environment_of_a_script(
    started: Started, tmp_path: Path, name: str, expected: bytes
) -> None:
    program = tmp_path / "program"
    program.write_bytes(_SCRIPT)
    program.chmod(0o755)
    command = started.home.command("run", "--with", name, os.fspath(program))
    done = subprocess.run(command, env={}, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, expected), done.stderr


def test_a_compiler_links_with_the_environments_own_dynamic_linker(started: Started, tmp_path: Path) -> None:
    """Denizen's loader lies where libc.so, a script for ld, names the linker; ld takes no program."""
    program = tmp_path / "program"
    words = "group open libc needed open path rest"
    program.write_text(f"#!/usr/bin/reader\nread {words} < /usr{LDSO.parent}/libc.so && cat $path\n")
    program.chmod(0o755)
    command = started.home.command("run", "--with", "libc6-dev", os.fspath(program))
    done = subprocess.run(command, env={}, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout == LDSO.read_bytes()) == (0, True), done.stderr
