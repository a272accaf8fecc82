"""What start-up may not import, and how much: the costs are in value.py and module_cache.py."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from denizen.cli.loaded_at_once import LOADED_AT_ONCE
from denizen.cli.module_cache import INSTALL_PLACE

# Measured beside a `python3 -c pass` of 13 ms: dataclasses 19 ms, typing 13, argparse 16, json 10 with re,
# enum 5, array 3, collections 2.5, operator 0.6.
HEAVY = {
    "array",
    "collections",
    "contextlib",
    "dataclasses",
    "enum",
    "functools",
    "hashlib",
    "json",
    "operator",
    "inspect",
    "typing",
    "argparse",
    "re",
    "rich",
    "pathlib",
    "subprocess",
    "urllib.request",
}


MAIN = "from denizen.cli.main import main; main()"


def imported_by(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "statement",
    [
        f"sys.argv = ['denizen', '--version']; {MAIN}",
        "import denizen.value, denizen.errors, denizen.bytesio, denizen.fileview, denizen.disk, denizen.elf",
        f"sys.argv = ['denizen', 'why', '--host', '--json', '/bin/sh']; {MAIN}",
        "import denizen.cli.commands.find, denizen.app.supply.ensure_index, denizen.app.supply.open_index",
        "import denizen.index.library_index, denizen.app.supply.configured_sources",
        "import denizen.sources.source_settings",
        "import denizen.app.paths, denizen.index.locate",
    ],
)
def test_a_start_up_path_imports_nothing_heavy(statement: str) -> None:
    assert imported_by(statement) & HEAVY == set()


def test_the_check_notices_a_heavy_import() -> None:
    assert "dataclasses" in imported_by("import dataclasses")


# Modules of denizen's own that a start may import. Each takes 0.1 ms, 0.05 from the cache of modules, where
# `python -c pass` takes 9: whoever adds one moves it off the path (a lazy import, a module of its own for
# what is rarely needed), or has a reason to raise the number.
WHY_HOST_MODULES = 69
DECIDED_RUN_MODULES = 26
# In place of the program: what has been imported until it is executed.
SAY_MODULES = "import os; os.execve = lambda *_: (print(*sys.modules, file=sys.stderr), os._exit(0))"


# What writes a file of the cache of modules: a start whose modules are in the file does not import it.
WRITERS = {"denizen.cli.loaded_at_once", "denizen.cli.module_cache_writer"}


def own(modules: set[str]) -> list[str]:
    return sorted(name for name in modules - WRITERS if name.partition(".")[0] == "denizen")


def test_a_program_is_examined_with_few_modules() -> None:
    modules = own(imported_by(f"sys.argv = ['denizen', 'why', '--host', '--json', '/bin/sh']; {MAIN}"))
    assert len(modules) <= WHY_HOST_MODULES, "\n".join(modules)


def test_a_decided_program_starts_with_few_modules(tmp_path: Path) -> None:
    words = ["--root", os.fspath(tmp_path / "root"), "run", "/bin/sh"]
    subprocess.run([sys.executable, "-m", "denizen", *words, "-c", ":"], check=True)
    modules = own(imported_by(f"{SAY_MODULES}; sys.argv = {['denizen', *words]!r}; {MAIN}"))
    assert "denizen.launch.fast_path" in modules
    assert "denizen.app.decisions.decision_maker" not in modules
    assert len(modules) <= DECIDED_RUN_MODULES, "\n".join(modules)


# What an installation does without whose object, commands and decisions are known.
SLOW = "hashlib re enum typing json datetime sqlite3 ctypes threading tomllib subprocess"
# What adds objects reads and writes NARs; contextlib and functools import collections.
SLOW += " contextlib functools collections operator mmap denizen.nar denizen.store.trees.nar_hashing site"
INSTALL_MODULES = 84


# The modules of a command line, as they are loaded without the cache of modules, each when it has all that it
# imports.
SAY_LOADED = """
import sys
from _frozen_importlib_external import SourceFileLoader
import denizen.cli.main, denizen.cli.module_cache
loaded = []
def exec_module(self, module, plain=SourceFileLoader.exec_module):
    plain(self, module)
    loaded.append(module.__name__)
SourceFileLoader.exec_module = exec_module
from denizen.cli.dispatch import dispatch
dispatch(sys.argv[1:])
print(*loaded, file=sys.stderr)
"""


def test_what_is_loaded_at_once_is_what_an_installation_imports(known_object: list[str]) -> None:
    code = f"import sys; sys.path[:0] = {sys.path!r}; sys.argv = {known_object!r}\n{SAY_LOADED}"
    words = [sys.executable, "-I", "-S", "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    loaded = [name for name in done.stderr.splitlines()[-1].split() if name.startswith("denizen.")]
    listed = [name for name in LOADED_AT_ONCE[INSTALL_PLACE] if name.startswith("denizen.")]
    assert loaded == listed, "\n".join(f'"{name}",' for name in loaded)


@pytest.fixture
def known_object(tmp_path: Path) -> list[str]:
    """The words that install an object whose commands and decisions are known."""
    tree = tmp_path / "tree"
    (tree / "bin").mkdir(parents=True)
    (tree / "bin" / "tool").write_text("#!/bin/sh\n")
    (tree / "bin" / "tool").chmod(0o755)
    denizen = ["denizen", "--root", os.fspath(tmp_path / "root")]
    add = [sys.executable, "-m", *denizen, "store", "add", os.fspath(tree)]
    place = subprocess.run(add, capture_output=True, text=True, check=True).stdout.strip()
    for words in (["install", place], ["remove", "tree"]):
        imported_by(f"sys.argv = {[*denizen, *words]!r}; {MAIN}")
    return [*denizen, "install", place]


def test_a_known_object_is_installed_with_few_modules(known_object: list[str]) -> None:
    modules = imported_by(f"sys.argv = {known_object!r}; {MAIN}")
    assert modules & set(SLOW.split()) == set()
    assert len(own(modules)) <= INSTALL_MODULES, "\n".join(own(modules))


# What a decision whose answers are all known does without: OpenSSL (2.7 ms), a TOML parser (3 ms), and what
# opens a source and fetches (4 ms).
UNDECIDED = "denizen.app.decisions.decision_maker, denizen.launch.fhs_rules"
RESOLVED = "denizen.app.resolution.cached_resolution, denizen.app.supply.ensure_index"


def test_a_decision_loads_no_openssl_no_parser_of_toml_and_nothing_that_fetches() -> None:
    modules = imported_by(f"import {UNDECIDED}, {RESOLVED}")
    unneeded = {"hashlib", "tomllib", "denizen.sources.source_factory", "denizen.sources.fetcher"}
    assert modules & unneeded == set()
