"""A cache file with all modules of one command, beside the .pyc files from which they come.

Python finds, opens, checks and reads each module by itself, 0.1 ms each before any of its code runs, and
`why` has 70 of them, a decided `run` 25. The cache keeps their code together in the package's
`__pycache__`: 6 ms less and 2 ms less where `python -c pass` takes 9. The file is written by any process that
may write that directory, and trusted, like the .pyc files there, for one version of Python's bytecode and for
sources with exactly these times and sizes. Nothing depends on it: without it, or with one that does not fit,
modules are imported as usual, and it is written after the command, or before the process becomes the program.
It gains the modules that a later start needs besides.

    marshal of (the directory, {module: (source file, its mtime in ns, its size, is a package, code)})
"""

# No `from __future__ import annotations`, which imports a module: it is read from the cache, as others are.
import marshal
import os
import sys

# The source of importlib.machinery's names, used without importing importlib.
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import SourceFileLoader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType, ModuleType
    from typing import TypeAlias

    Row: TypeAlias = tuple[str, int, int, bool, CodeType]

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# The answer to a program that waits for a library.
ANSWER = "decide-missed"
# Commands for which start-up time matters. A start that imported more modules (it resolved, fetched, or
# updated an index) is not a quick one, and its modules would be read at every start; an answer from the
# store has 195.
MAX_MODULES = {
    "find": 80,
    "fhs": 80,
    "list": 80,
    "profile": 80,
    "realise": 40,
    "run": 80,
    "why": 80,
    "x": 80,
    ANSWER: 240,
}
# Global options whose value is the next word (dispatch.GLOBAL_OPTIONS, which is not imported yet).
VALUED = frozenset({"--color", "--root"})
# Modules of the standard library that nearly all of denizen's import, and that Python has not frozen in.
OF_PYTHON = frozenset({"__future__", "struct"})

# Modules that read the sources' settings, which app.supply.provenance_cache spares most starts. Kept,
# they would be read at every start.
RARE = frozenset(
    {
        "denizen.app.supply.configured_sources",
        "denizen.formats.aptsources",
        "denizen.sources.keyring",
        "denizen.sources.mirrors",
        "denizen.sources.settings",
    }
)


def command_in(arguments: "Sequence[str]") -> str:
    """Return the command's first word, after global options and their values; "" if there is none."""
    words = iter(arguments)
    for word in words:
        if not word.startswith("-"):
            return word
        if word in VALUED:
            next(words, None)
    return ""


def cache_name(arguments: "Sequence[str]") -> str:
    """Return the name of the cache for a command line; not one of MAX_MODULES if it has none."""
    command = command_in(arguments)
    answers = command == "decide" and ("--missed" in arguments or "--needed" in arguments)
    return ANSWER if answers else command


class ModuleCache:
    """The cache file of one command: call `use` before its modules are imported, `keep` after that."""

    def __init__(self, command: str, package: str = PACKAGE) -> None:
        name = f"{command}.{sys.implementation.cache_tag}.together"
        self._most = MAX_MODULES[command]
        self._path = os.path.join(package, "__pycache__", name)
        self._package = package
        self._before = frozenset(sys.modules)
        self._modules: dict[str, Row] = {}

    def use(self) -> None:
        """Import the modules in the file from it from now on, if it fits."""
        try:
            with open(self._path, "rb", buffering=0) as stream:
                package, modules = marshal.loads(stream.readall())  # noqa: S302  # as Python reads the .pyc files beside it
            fits = package == self._package and all(_stamp(row[0]) == row[:3] for row in modules.values())
        except (OSError, ValueError, EOFError, TypeError):
            return  # the file is missing or incomplete: modules are imported as usual
        if fits:
            self._modules = modules
            sys.meta_path.insert(0, _Finder(modules))

    def keep(self) -> None:
        """Write the file, unless it has all modules that were imported, if Python would write a .pyc file."""
        known = self._before | self._modules.keys()
        missing = [name for name in sys.modules.keys() - known if _is_kept(name)]
        size = len(self._modules) + len(missing)
        # Access is asked first: reading the code of 25 modules in vain would take 1 ms of every `run`.
        writable = not sys.dont_write_bytecode and os.access(os.path.dirname(self._path), os.W_OK)
        if not missing or size > self._most or not writable:
            return
        temporary = f"{self._path}.{os.getpid()}"
        try:
            content = marshal.dumps((self._package, self._modules | _rows(missing)))
            with open(temporary, "wb") as stream:
                stream.write(content)
            os.replace(temporary, self._path)
        except OSError:
            return  # no room: the next start is as slow as this one


class _Loader(SourceFileLoader):
    """A loader of a module whose code is known already."""

    code: "CodeType"

    def get_code(self, _: str) -> "CodeType":
        return self.code

    def exec_module(self, module: "ModuleType") -> None:
        # importlib would set it for a spec with a location, and find out where the .pyc is: 3 us a module.
        module.__file__ = self.path
        exec(self.code, module.__dict__)  # noqa: S102  # as importlib executes a module


class _Finder:
    def __init__(self, modules: "dict[str, Row]") -> None:
        self._modules = modules

    def find_spec(
        self, name: str, _path: "Sequence[str] | None" = None, _target: "ModuleType | None" = None
    ) -> ModuleSpec | None:
        row = self._modules.get(name)
        if row is None:
            return None
        file, _, _, is_package, code = row
        loader = _Loader(name, file)
        loader.code = code
        spec = ModuleSpec(name, loader, origin=file, is_package=is_package)
        if is_package:
            spec.submodule_search_locations = [os.path.dirname(file)]
        return spec


def _is_kept(name: str) -> bool:
    return (name.startswith("denizen.") and name not in RARE) or name in OF_PYTHON


def _stamp(file: str) -> tuple[str, int, int]:
    facts = os.stat(file)
    return file, facts.st_mtime_ns, facts.st_size


def _rows(names: "Sequence[str]") -> "dict[str, Row]":
    """Return the rows of modules that have been imported. Raises OSError for one without a source."""
    found: dict[str, Row] = {}
    for name in names:
        loader = sys.modules[name].__loader__
        if isinstance(loader, SourceFileLoader):
            code = loader.get_code(name)
            assert code is not None
            found[name] = (*_stamp(loader.path), loader.is_package(name), code)
    return found
