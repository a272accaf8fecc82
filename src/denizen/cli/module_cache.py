"""A cache file with all modules of one command, beside the .pyc files from which they come.

Python finds, opens, checks and reads each module by itself, 0.1 ms each before any of its code runs, and
`why` has 55 of them. The cache keeps their code together in the package's `__pycache__`: 5 ms less where
`python -c pass` takes 13. The file is written by any process that may write that directory, and trusted, like
the .pyc files there, for one version of Python's bytecode and for sources with exactly these times and sizes.
Nothing depends on it: without it, or with one that does not fit, modules are imported as usual, and it is
written again after the command.

    marshal of (the directory, {module: (source file, its mtime in ns, its size, is a package, code)})
"""

from __future__ import annotations

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
# Commands for which start-up time matters and that return; `run` becomes the program.
COMMANDS = frozenset({"why", "find"})
# A run that imported more modules (it resolved, or updated an index) is not a quick one, and
# its modules would be read at every start: `why --host` has 55, `find` 22.
MAX_MODULES = 80


class ModuleCache:
    """The cache file of one command: call `use` before its modules are imported, `keep` after it has run."""

    def __init__(self, command: str, package: str = PACKAGE) -> None:
        name = f"{command}.{sys.implementation.cache_tag}.together"
        self._path = os.path.join(package, "__pycache__", name)
        self._package = package
        self._fits = False

    def use(self) -> None:
        """Import the modules in the file from it from now on, if it fits."""
        try:
            with open(self._path, "rb", buffering=0) as stream:
                package, modules = marshal.loads(stream.readall())  # noqa: S302  # as Python reads the .pyc files beside it
            self._fits = package == self._package and all(
                _stamp(row[0]) == row[:3] for row in modules.values()
            )
        except (OSError, ValueError, EOFError, TypeError):
            return  # the file is missing or incomplete: modules are imported as usual
        if self._fits:
            sys.meta_path.insert(0, _Finder(modules))

    def keep(self) -> None:
        """Write the file unless the existing one fits, if Python would write a .pyc file."""
        if self._fits or sys.dont_write_bytecode:
            return
        modules = _loaded()
        if len(modules) > MAX_MODULES:
            return
        temporary = f"{self._path}.{os.getpid()}"
        try:
            with open(temporary, "wb") as stream:
                stream.write(marshal.dumps((self._package, modules)))
            os.replace(temporary, self._path)
        except OSError:
            return  # no permission, or no room: the next start is as slow as this one


class _Loader(SourceFileLoader):
    """A loader of a module whose code is known already."""

    code: CodeType

    def get_code(self, _: str) -> CodeType:
        return self.code


class _Finder:
    def __init__(self, modules: dict[str, Row]) -> None:
        self._modules = modules

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        row = self._modules.get(name)
        if row is None:
            return None
        file, _, _, is_package, code = row
        loader = _Loader(name, file)
        loader.code = code
        spec = ModuleSpec(name, loader, origin=file, is_package=is_package)
        spec.has_location = True
        if is_package:
            spec.submodule_search_locations = [os.path.dirname(file)]
        return spec


def _stamp(file: str) -> tuple[str, int, int]:
    facts = os.stat(file)
    return file, facts.st_mtime_ns, facts.st_size


def _loaded() -> dict[str, Row]:
    """Return the package's modules that have been imported."""
    found: dict[str, Row] = {}
    for name, module in sys.modules.items():
        loader = getattr(module, "__loader__", None)
        if name.startswith("denizen.") and isinstance(loader, SourceFileLoader):
            code = loader.get_code(name)
            assert code is not None
            found[name] = (*_stamp(loader.path), loader.is_package(name), code)
    return found
