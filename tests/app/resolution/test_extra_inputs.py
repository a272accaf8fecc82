"""What a program opens from where nobody would look: a virtual environment's modules, --with PATH."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.offline_roots import DenizenHome

pytestmark = pytest.mark.slow

# A Python as far as denizen is concerned: it has what all Pythons export, and opens what it is told.
OPENS = """
#include <dlfcn.h>
#include <stdio.h>
int Py_BytesMain(int count, char **words) { return count + !words; }
int main(int count, char **words) {
    for (int i = 1; i < count; i++) {
        void *module = dlopen(words[i], RTLD_NOW);
        if (!module) { puts(dlerror()); return 1; }
        puts(((const char *(*)(void))dlsym(module, "said"))());
    }
    return 0;
}
"""
GREETS = "const char *greeting(void); const char *said(void) { return greeting(); }\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> DenizenHome:
    return DenizenHome(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def python(home: DenizenHome) -> Path:
    """In a directory of its own, as a Python that others share."""
    path = home.work / "base" / "bin" / "interpreter"
    path.parent.mkdir(parents=True)
    subprocess.run(["gcc", "-rdynamic", "-x", "c", "-", "-o", path], input=OPENS.encode(), check=True)
    return path


def environment(home: DenizenHome, python: Path, name: str) -> Path:
    """A virtual environment of that Python, with a module that needs what this host has not."""
    tree = home.work / name
    (tree / "bin").mkdir(parents=True)
    (tree / "bin" / "python").symlink_to(python)
    (tree / "pyvenv.cfg").write_text(f"home = {python.parent}\n")
    install(tree, "greet", GREETS, home.library("greet"))
    return tree


def install(tree: Path, name: str, source: str, library: Path) -> Path:
    """A package with a module, linked as wheels are: with a run path of its own."""
    module = tree / "lib/python3/site-packages" / name / f"{name}.so"
    module.parent.mkdir(parents=True)
    options = ["-shared", "-fPIC", "-Wl,--enable-new-dtags,-rpath,$ORIGIN"]
    command = ["gcc", "-x", "c", "-", "-x", "none", *options, os.fspath(library), "-o", os.fspath(module)]
    subprocess.run(command, input=source.encode(), check=True)
    return module


def test_a_virtual_environments_modules_find_what_they_need(home: DenizenHome, python: Path) -> None:
    tree = environment(home, python, "one")
    module = os.fspath(tree / "lib/python3/site-packages/greet/greet.so")
    assert subprocess.run([python, module], check=False, capture_output=True).returncode == 1
    for _ in ("first", "second"):
        done = home.denizen("run", os.fspath(tree / "bin/python"), module)
        assert done.stdout == "hello from the store\n"
    # The same file by its own path is no part of it: it starts with what the host has.
    assert "libgreet" in home.denizen("run", "--plan", os.fspath(tree / "bin/python")).stdout
    assert "libgreet" not in home.denizen("run", "--plan", os.fspath(python)).stdout


def test_what_was_installed_into_the_python_itself_counts_too(home: DenizenHome, python: Path) -> None:
    own = home.work / "own" / "bin" / "other"
    own.parent.mkdir(parents=True)
    own.write_bytes(python.read_bytes())
    own.chmod(0o755)
    module = install(home.work / "own", "greet", GREETS, home.library("greet"))
    link = home.work / "python"
    link.symlink_to(own)
    for program in (own, link):
        assert home.denizen("run", os.fspath(program), os.fspath(module)).stdout == "hello from the store\n"


def test_a_package_installed_later_is_seen(home: DenizenHome, python: Path) -> None:
    tree = environment(home, python, "two")
    program = os.fspath(tree / "bin/python")
    home.denizen("run", program)
    library = home.add_library("late", 'const char *late(void) { return "late"; }\n')
    home.set_up("index", "update")
    source = "const char *late(void); const char *said(void) { return late(); }\n"
    module = install(tree, "late", source, library)
    assert home.denizen("run", program, os.fspath(module)).stdout == "late\n"


def test_a_script_of_a_virtual_environment_is_run_by_its_python(
    home: DenizenHome, python: Path, short_path: Path
) -> None:
    tree = short_path / "three"
    tree.symlink_to(environment(home, python, "three"))
    script = tree / "bin" / "tool"
    # The stand-in opens what it is given: the module by its path, then the script itself.
    script.write_text(f"#!{tree}/bin/python {tree}/lib/python3/site-packages/greet/greet.so\n")
    script.chmod(0o755)
    done = home.denizen("run", os.fspath(script), status=1)
    assert done.stdout.startswith("hello from the store\n")


def test_a_module_nobody_can_satisfy_keeps_nothing_else_from_starting(
    home: DenizenHome, python: Path
) -> None:
    """Wheels bring plugins for parts that were not installed (PySide6 without its add-ons)."""
    tree = environment(home, python, "four")
    lost = home.add_library("lost", 'const char *lost(void) { return "lost"; }\n')
    needy = home.library("needy")
    source = "const char *lost(void); const char *needy(void) { return lost(); }\n"
    command = ["gcc", "-shared", "-fPIC", f"-Wl,-soname,{needy.name}", "-x", "c", "-", "-x", "none"]
    subprocess.run([*command, lost, "-o", needy], input=source.encode(), check=True)
    home.pack_library("needy")
    (home.debs / "liblost1_1.0-1_amd64.deb").unlink()
    home.set_up("index", "update")
    asking = "const char *needy(void); const char *said(void) { return needy(); }\n"
    module = install(tree, "needy", asking, needy)
    program = os.fspath(tree / "bin/python")
    good = os.fspath(tree / "lib/python3/site-packages/greet/greet.so")
    assert home.denizen("run", program, good).stdout == "hello from the store\n"
    assert "cannot open" in home.denizen("run", program, os.fspath(module), status=1).stdout


def test_where_the_host_has_all_it_is_the_hosts(home: DenizenHome, python: Path) -> None:
    tree = home.work / "plain"
    (tree / "bin").mkdir(parents=True)
    (tree / "bin" / "python").symlink_to(python)
    (tree / "pyvenv.cfg").write_text("")
    shown = home.denizen("run", "--plan", os.fspath(tree / "bin/python")).stdout
    assert "* host" in shown


@pytest.mark.parametrize("what", ["the library", "its directory"])
def test_with_a_path_comes_what_is_needed_there(home: DenizenHome, python: Path, what: str) -> None:
    tree = environment(home, python, what)
    module = tree / "lib/python3/site-packages/greet/greet.so"
    place = module if what == "the library" else module.parent
    words = ["run", "--with", os.path.relpath(place), os.fspath(python), os.fspath(module)]
    assert home.denizen(*words).stdout == "hello from the store\n"
    assert "libgreet1" in home.denizen("lock", "--with", os.fspath(place), os.fspath(python)).stdout
    assert "libgreet.so.1" in home.denizen("why", os.fspath(tree / "bin/python"), status=None).stdout


def test_a_path_that_is_not_there_is_said_so(home: DenizenHome, python: Path) -> None:
    done = home.denizen("run", "--with", "./no/such", os.fspath(python), status=127)
    assert "./no/such" in done.stderr
    assert "no such library or directory" in done.stderr


SYSTEM = Path("/usr/bin/python3")


@pytest.mark.skipif(not SYSTEM.exists(), reason="this system has no Python of its own")
def test_a_virtual_environment_of_the_systems_python_keeps_its_modules_and_gets_what_it_lacks(
    home: DenizenHome,
) -> None:
    tree = home.work / "of-the-system"
    (tree / "bin").mkdir(parents=True)
    (tree / "bin" / "python").symlink_to(SYSTEM)
    (tree / "pyvenv.cfg").write_text("home = /usr/bin\n")
    module = install(tree, "greet", GREETS, home.library("greet"))
    imports = "import ctypes, hashlib, zlib"
    opens = f"said = ctypes.CDLL({os.fspath(module)!r}).said; said.restype = ctypes.c_char_p"
    code = f"{imports}; {opens}; print(said().decode(), hashlib.md5().name, flush=True)"
    again = f"{code}; import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}], check=True)"
    for strategy in ("namespace", "stub", "direct"):
        words = ["run", "--strategy", strategy, os.fspath(tree / "bin/python"), "-c", again]
        assert home.denizen(*words).stdout == "hello from the store md5\n" * 2, strategy
    plan = home.denizen("run", "--plan", os.fspath(tree / "bin/python")).stdout
    assert "beside this host's own libraries" in plan
    told = home.denizen("why", os.fspath(tree / "bin/python")).stdout
    assert "beside this host's own libraries" in told
    assert "it lacks: libgreet.so.1" in told


def test_without_the_archive_a_program_that_starts_here_starts_all_the_same(
    home: DenizenHome, python: Path
) -> None:
    tree = environment(home, python, "five")
    (tree / "lib/python3/site-packages/greet/greet.so").rename(tree / "kept.so")
    lost = home.add_library("gone", 'const char *gone(void) { return "gone"; }\n')
    home.set_up("index", "update")
    source = "const char *gone(void); const char *said(void) { return gone(); }\n"
    install(tree, "gone", source, lost)
    package = home.debs / "libgone1_1.0-1_amd64.deb"
    package.write_bytes(b"not what the index says")
    done = home.denizen("run", os.fspath(tree / "bin/python"))
    package.unlink()  # for whatever makes an index of this directory next
    assert "it starts without libgone.so.1" in done.stderr
