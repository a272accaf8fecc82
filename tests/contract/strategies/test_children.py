"""A program's children start, foreign ones too, with the environment they are given."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.contract.strategies.started import FACTS, Started
from tests.support.debs import Item
from tests.support.offline_roots import LDSO, DenizenHome
from tests.support.peers import require

pytestmark = pytest.mark.slow

PATHS = {"unset": None, "empty": "", "set": "/nonexistent/user/libraries"}


@pytest.mark.parametrize("how", ["execv", "execvp", "vfork", "spawn", "spawnp"])
def test_a_foreign_child_runs(started: Started, program: Path, foreign: Path, how: str) -> None:
    words = ["called otherwise", "words", "", "two words"]
    assert started.lines(program, how, os.fspath(foreign), *words) == words
    assert started.run(program, how, os.fspath(foreign), "x", "exit", "7").returncode == 7


def test_a_foreign_child_of_a_shell_runs(started: Started, program: Path, foreign: Path) -> None:
    line = f"true && '{foreign}' words \"it's\"; exit 5"
    done = started.run(program, "system", line)
    assert (done.returncode, done.stdout.decode().splitlines()) == (5, [os.fspath(foreign), "words", "it's"])
    assert started.lines(program, "popen", line) == [os.fspath(foreign), "words", "it's"]


@pytest.mark.parametrize(
    "command", ["env {} words x", "find / -maxdepth 0 -exec {} words x ;", "nice {} words x"]
)
def test_a_foreign_child_of_the_hosts_programs_runs(
    started: Started, program: Path, foreign: Path, command: str
) -> None:
    words = command.format(foreign).split()
    assert started.lines(program, "execvp", words[0], *words) == [os.fspath(foreign), "words", "x"]


def test_a_foreign_child_found_along_path_runs(started: Started, program: Path, foreign: Path) -> None:
    env = {"PATH": os.fspath(foreign.parent)}
    for how in ("execvp", "spawnp"):
        assert started.lines(program, how, foreign.name, "x", "words", env=env) == ["x", "words"]


def test_a_script_of_a_foreign_interpreter_runs(started: Started, program: Path, foreign: Path) -> None:
    script = foreign.with_suffix(".script")
    script.write_text(f"#!{foreign} words\n")
    script.chmod(0o755)
    shown = started.lines(program, "execv", os.fspath(script), "x", "y")
    assert shown == [os.fspath(foreign), "words", os.fspath(script), "y"]


@pytest.mark.parametrize("tree", ["nix", "gnu"])
def test_a_child_whose_interpreter_is_in_another_systems_tree_runs(started: Started, tree: str) -> None:
    if started.strategy == "installed":
        pytest.skip("the kernel takes an interpreter by its path, and one path is what was installed")
    linker = f"/{tree}/store/0c5vdxlp40vdr1sxq2kr1xvxzkjqj6cf-glibc-2.40/lib/{LDSO.name}"
    child = started.home.compile(f"{tree}-{started.strategy}", FACTS, f"-Wl,--dynamic-linker={linker}")
    # Decided now: what lies beside it is seen when a program is decided about.
    parent = started.compile(f"parent-{tree}", FACTS)
    assert started.run(parent, "execv", os.fspath(child), "x", "exit", "4").returncode == 4
    assert started.lines(parent, "execv", os.fspath(child), "x", "words") == ["x", "words"]
    assert started.lines(parent, "popen", f"{child} words y") == [os.fspath(child), "words", "y"]
    # Its own children are as its parent's are.
    assert started.lines(parent, "execv", os.fspath(child), "x", "execv", "/bin/echo", "e", "z") == ["z"]


@pytest.mark.parametrize("compiler", [("gcc", "-m32"), ("musl-gcc",)])
def test_a_child_of_another_word_size_or_c_library_runs(started: Started, compiler: tuple[str, ...]) -> None:
    """One that the host satisfies; where its interpreter lies, a loader of ours may."""
    require(compiler[0])
    text = started.home.work / "plain.c"
    text.write_text("int main(int count, char **words) { return count; }")
    child = started.home.work / f"plain-{len(compiler)}-{started.strategy}"
    if subprocess.run([*compiler, "-o", child, text], check=False, capture_output=True).returncode:
        pytest.skip(f"{' '.join(compiler)} makes no programs here")
    parent = started.compile(f"parent-{len(compiler)}", FACTS)
    for _ in range(2):
        assert started.run(parent, "execv", os.fspath(child), "x", "y").returncode == 2


_STORE = "/nix/store/0c5vdxlp40vdr1sxq2kr1xvxzkjqj6cf-glibc-2.40/lib"
_SAYS = """
#include <stdio.h>
int main(int count, char **words) {
    for (int i = 0; i < count; i++) puts(words[i]);
    return 4;
}
"""


def _packed(home: DenizenHome, kind: str) -> tuple[list[str], str]:
    """The compiler of programs whose dynamic linker is not here, and its path; packages have the rest."""
    if kind == "x86-64":
        return ["gcc"], f"{_STORE}/{LDSO.name}"
    if kind == "musl":
        require("musl-gcc")
        name = "ld-musl-x86_64.so.1"
        home.write("musl", [Item(f"./lib/{name}", content=Path("/lib", name).read_bytes(), mode=0o755)])
        return ["musl-gcc"], f"{_STORE}/{name}"
    linker = Path("/lib/ld-linux.so.2")
    library = linker.resolve().parent / "libc.so.6"
    if not library.exists():
        pytest.skip("there is no 32-bit C library to pack")
    items = [
        Item(f"./lib/i386-linux-gnu/{one.name}", content=one.read_bytes(), mode=0o755)
        for one in (linker, library)
    ]
    home.write("libc6", items, architecture="i386")
    return ["gcc", "-m32"], f"{_STORE}/{linker.name}"


@pytest.fixture(scope="module", params=["x86-64", "i386", "musl"])
def absent(request: pytest.FixtureRequest, home: DenizenHome) -> list[str]:
    """What compiles programs whose dynamic linker is nowhere on this host."""
    compiler, linker = _packed(home, request.param)
    home.set_up("index", "update")
    return [*compiler, f"-Wl,--dynamic-linker={linker}", "-w", "-x", "c", "-", "-o"]


def test_a_child_made_later_whose_interpreter_is_not_here_runs(
    started: Started, program: Path, absent: list[str], tmp_path: Path
) -> None:
    """It does not lie beside the program, so nothing told of it when that was decided about."""
    child = tmp_path / "child"
    made = subprocess.run([*absent, child], input=_SAYS, text=True, check=False, capture_output=True)
    if made.returncode:
        pytest.skip(f"{absent[:2]} makes no programs here")
    script = tmp_path / "script"
    script.write_text(f"#!{child} one argument\n")
    script.chmod(0o755)
    assert started.run(program, "execv", os.fspath(child), "x").returncode == 4  # says what it brings
    for how in ("execv", "vfork", "spawn"):
        done = started.run(program, how, os.fspath(child), "x", "y")
        assert (done.returncode, done.stdout, done.stderr) == (4, b"x\ny\n", b"")
    done = started.run(program, "execv", os.fspath(script), "x", "y")
    words = [os.fspath(child), "one argument", os.fspath(script), "y"]
    assert (done.returncode, done.stdout.decode().splitlines()) == (4, words)
    if started.strategy == "installed":
        return  # its shell is the host's, which no loader of ours starts
    done = started.run(program, "system", f"'{child}' z; exit $?")
    assert (done.returncode, done.stdout.decode().splitlines()) == (4, [os.fspath(child), "z"])


def test_a_foreign_grandchild_runs(started: Started, program: Path, foreign: Path) -> None:
    words = ["execv", os.fspath(foreign), "b", "vfork", os.fspath(program), "c", "exe"]
    assert started.lines(program, *words) == [os.fspath(program)] * 4


@pytest.mark.parametrize("besides", ["", "greeting"])
def test_a_child_gets_libraries_from_the_library_path_it_is_given(
    started: Started, program: Path, besides: str, tmp_path: Path
) -> None:
    """Alone, and together with packages; what it lacks without is not said, and it is decided about once."""
    if started.strategy == "installed" and not besides:
        pytest.skip("the host starts nothing there: what lies at the interpreter's path is the loader")
    library = tmp_path / "away" / "libaway.so.1"
    library.parent.mkdir()
    _compile("int away(void) { return 6; }", library, "-shared", "-fPIC", "-Wl,-soname,libaway.so.1")
    source = f"int away(), greeting(); int main() {{ {besides + '();' if besides else ''} return away(); }}"
    child = started.compile(f"given-{besides}", source, "-Wl,--as-needed", os.fspath(library))
    command = started.command(program, "execv", os.fspath(child), "x")
    given = {"LD_LIBRARY_PATH": f"/nonexistent:{library.parent.name}"}
    # Where DENIZEN_DECIDING is set the loader asks nobody.
    for env in (given, given | {"DENIZEN_DECIDING": "1"}):
        done = subprocess.run(
            command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=60
        )
        assert (done.returncode, done.stderr) == (6, "")
    without = subprocess.run(command, env={}, capture_output=True, text=True, check=False, timeout=60)
    assert without.returncode == 127
    assert "libaway.so.1" in without.stderr


def _compile(source: str, output: Path, *flags: str) -> None:
    subprocess.run(["gcc", "-w", "-x", "c", "-", "-o", output, *flags], input=source.encode(), check=True)


@pytest.mark.parametrize("state", PATHS)
def test_it_and_its_children_see_exactly_the_environment_given(
    started: Started, program: Path, state: str
) -> None:
    path = PATHS[state]
    env = {"ONE": "1", "LANG": "C"} | ({} if path is None else {"LD_LIBRARY_PATH": path})
    expected = sorted(f"{name}={value}" for name, value in env.items())
    assert sorted(started.lines(program, "environment", env=env)) == expected
    assert sorted(started.lines(program, "child", env=env)) == expected


# std::process gives a child an environment of its own making, and looks it up along its PATH.
RUST = """
use std::os::raw::c_char;
use std::process::Command;
extern "C" { fn greeting() -> *const c_char; }
fn main() {
    assert!(unsafe { !greeting().is_null() });
    let words: Vec<String> = std::env::args().collect();
    let mut child = Command::new(&words[1]);
    child.args(&words[2..]).env("TWO", "2").env_remove("ONE");
    std::process::exit(child.status().unwrap().code().unwrap());
}
"""


def test_a_child_of_a_rust_program_sees_exactly_the_environment_that_it_is_given(
    started: Started, program: Path
) -> None:
    require("rustc")
    source = started.home.work / "parent.rs"
    source.write_text(RUST)
    parent = started.home.work / f"rust-{started.strategy}"
    # rustc links with libgcc_s, which no package here has yet.
    started.home.pack("libgcc-s1", ["libgcc_s.so.1"])
    started.home.set_up("index", "update", "--suite", "debian")
    linked = [f"link-arg={started.home.library('greet')}"]
    if started.strategy == "installed":
        linked.append(f"link-arg=-Wl,--dynamic-linker={started.interpreter}")
    flags = [word for one in linked for word in ("-C", one)]
    subprocess.run(["rustc", "-o", parent, source, *flags], check=True)
    # The first start decides, and says so.
    assert started.run(parent, os.fspath(program), "exit", "0").returncode == 0
    for path in PATHS.values():
        own = {"LANG": "C"} | ({} if path is None else {"LD_LIBRARY_PATH": path})
        expected = sorted(f"{name}={text}" for name, text in (own | {"TWO": "2"}).items())
        for child in (("/usr/bin/env",), (os.fspath(program), "environment")):
            assert sorted(started.lines(parent, *child, env=own | {"ONE": "1"})) == expected
