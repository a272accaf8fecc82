"""Cache files with the modules of one command each, beside the .pyc files from which they come.

Python finds, opens, checks and reads each module by itself, 0.1 ms each before any of its code runs. `why`
has 70 modules, a decided `run` 25, `install` 170 with those of the standard library. The cache keeps their
code together in the package's `__pycache__`: 6, 2 and 15 ms less where `python -c pass` takes 9. Of packages
it has rich, 42 modules of whatever is shown to a person.

The file is written by any process that may write that directory, and trusted, like the .pyc files there, for
one version of Python's bytecode and one Python: the directories of its modules are in the file. A module is
taken from it only while its source has exactly the time and the size that it had, and only its own code is
read then, so that a module which few starts of the command need costs the others next to nothing. Nothing
depends on the file: modules that it lacks, or has of another source, are imported as usual, and the file is
written with them after the command, or before the process becomes the program.

    8 digits: the size of the table
    table: marshal of (the directories, how many of the modules are loaded at once, {module: (source file,
        its mtime in ns, its size, is a package, where its code is behind the table, the code's size)})
    code of each module: the marshal of a code object, as in a .pyc file; or of {module: code} for the modules
        that one start added, which have the same place then

To read the codes of 20 modules at once takes two thirds of the time that it takes one by one, as they share
most names. Commands all of whose starts import the same have them so (`AT_ONCE`). Importlib's own work for
each module is 10 us, 4 % of an installation: what each of them imports is loaded at once there, and is found
in `sys.modules` (loaded_at_once.py). Which modules these are is written there, and does not depend on the
start that wrote the file.

To decide how a program starts takes 200 modules more than a decided start, which is not to read even the
table of them. They have a file of their own, shared by all commands that decide, and opened when the first of
them is imported.
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

    from denizen.cli.module_cache_writer import Row

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# The answer to a program that waits for a library.
ANSWER = "decide-missed"
# The installation of programs and objects by their paths.
INSTALL_PLACE = "install-place"
# The name of the file for decisions, and the module that only a decision needs.
DECIDING = "deciding"
DECIDES = "denizen.app.decisions.decision_maker"
# Commands that decide and often need not.
SOMETIMES_DECIDE = frozenset({"decide", "run", "why", "x"})
# Of these, the ones whose own file is not for starts without a decision alone. It gets what they import
# before they decide, too.
OFTEN_DECIDE = frozenset({"why"})
# Commands for which start-up time matters, with the largest number of modules in their files. A start that
# imported more (it resolved, fetched, or updated an index) is not a quick one, and the file's table is read
# at every start.
MAX_MODULES = {
    "decide": 80,
    "find": 80,
    "fhs": 80,
    "gc": 200,
    "install": 320,
    INSTALL_PLACE: 130,
    "list": 120,
    "pin": 320,
    "profile": 320,
    "realise": 200,
    "remove": 320,
    "run": 80,
    "unpin": 320,
    "why": 200,
    "x": 80,
    ANSWER: 240,
    DECIDING: 400,
}
AT_ONCE = frozenset({INSTALL_PLACE, "run"})
# Imported to write a file: of no command.
_WRITERS = ("denizen.cli.loaded_at_once", "denizen.cli.module_cache_writer")
# Global options whose value is the next word (dispatch.GLOBAL_OPTIONS, which is not imported yet).
VALUED = frozenset({"--color", "--root"})
# Bytes read at once, as much as tables have; digits of a table's size.
_BEGINNING = 1 << 16
_DIGITS = 8
_STDERR = 2
# With fewer descriptors the file does not stay open.
_FEW = 64
# The directory of the standard library's modules.
OF_PYTHON = os.path.join(os.path.dirname(os.__file__), "")


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
    if command == "decide" and ("--missed" in arguments or "--needed" in arguments):
        return ANSWER
    if command == "install" and any("/" in word for word in arguments if not word.startswith("-")):
        return INSTALL_PLACE
    return command


class ModuleCache:
    """The cache files of one command: call `use` before its modules are imported, `keep` after that."""

    def __init__(self, command: str, package: str = PACKAGE) -> None:
        self._before = frozenset(sys.modules)
        self._package = package
        self._decides = command in SOMETIMES_DECIDE
        self._keeps_both = command in OFTEN_DECIDE
        self._files = [_CacheFile(command, package)]
        # What was imported when the first decision began.
        self._undecided: frozenset[str] = frozenset()

    def use(self) -> None:
        """Import the modules in the file from it from now on, if it is this package's."""
        self._files[0].open()
        sys.meta_path.insert(0, _Finder(self))
        self._files[0].load()

    def holder_of(self, name: str) -> "_CacheFile | None":
        """Return the file that has a module; None for none."""
        if self._decides and name == DECIDES:
            self._decides = False
            self._undecided = frozenset(sys.modules)
            self._files.append(_CacheFile(DECIDING, self._package))
            self._files[-1].open()
        for file in self._files:
            if name in file.modules:
                return file
        return None

    def keep(self) -> None:
        """Write the file, unless it has all modules that were imported, if Python would write a .pyc file.

        After a decision, that is the decisions' file; it gets what the command's own lacks, too, unless the
        command has one for that (`OFTEN_DECIDE`).
        """
        try:
            known = self._before.union(*(file.modules for file in self._files))
            missing = {name for name in sys.modules.keys() - known if _is_kept(name)}
            early = missing & self._undecided if self._keeps_both else set()
            for file, names in ((self._files[0], early), (self._files[-1], missing - early)):
                if names:
                    file.add(sorted(names))
        except MemoryError:
            pass  # it does not change what the command did


class _CacheFile:
    """One cache file.

    Attributes:
        modules: the rows of its modules; none before it is opened.
    """

    def __init__(self, name: str, package: str) -> None:
        self._name, self._most, self._at_once = name, MAX_MODULES[name], name in AT_ONCE
        self._path = os.path.join(package, "__pycache__", f"{name}.{sys.implementation.cache_tag}.together")
        self._place = _place_of(package)
        self.modules: dict[str, Row] = {}
        self._file = -1
        self._codes = 0
        self._whole = b""
        # How many of these modules, which are the first, are loaded at once.
        self._first = 0
        # By where they are: the codes of modules that are read at once.
        self._read: dict[int, dict[str, CodeType]] = {}

    def open(self) -> None:
        """Read the table, if the file is this package's."""
        try:
            # It stays open: modules are imported until the command ends.
            self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return  # there is none: modules are imported as usual
        # The caller may have closed standard descriptors, which this is not to be one of.
        modules = self._table() if self._file > _STDERR else None
        if modules is None:
            self._close()
            return
        if os.sysconf("SC_OPEN_MAX") < _FEW:
            self._read_whole()
        self.modules = modules

    def code_of(self, name: str) -> "CodeType":
        """Return the code of a module that the file has. Raises OSError, ValueError, EOFError, TypeError."""
        row = self.modules[name]
        together = self._read.get(row[4])
        if together is None:
            found = marshal.loads(self._bytes_of(row))  # noqa: S302  # see `_table`
            if type(found) is not dict:
                return found  # type: ignore[no-any-return]  # exec() looks at what it is
            together = self._read[row[4]] = found
        try:
            return together[name]
        except KeyError as problem:
            raise ValueError(name) from problem

    def _bytes_of(self, row: "Row") -> bytes:
        start = self._codes + row[4]
        return self._whole[start : start + row[5]] or os.pread(self._file, row[5], start)

    def load(self) -> None:
        """Load the modules that all starts of the command import, each before those that import it.

        An import then finds them in `sys.modules`: importlib's own work for each is 10 us.
        """
        for name in list(self.modules)[: self._first]:
            if name not in sys.modules and not self._loaded(name):
                return

    def _loaded(self, name: str) -> bool:
        parent, _, child = name.rpartition(".")
        spec = self.spec_of(name) if not parent or parent in sys.modules else None
        loader = spec.loader if spec is not None else None
        if spec is None or loader is None:
            return False
        module = sys.modules[name] = type(sys)(name)
        module.__spec__, module.__loader__, module.__package__ = spec, loader, parent
        if spec.submodule_search_locations is not None:
            module.__package__, module.__path__ = name, spec.submodule_search_locations
        try:
            loader.exec_module(module)
        except BaseException:  # as importlib does: no module is left that was loaded in part
            del sys.modules[name]
            raise
        # As importlib leaves it. Each import of the module asks, and where it is not set makes the text of an
        # AttributeError that nobody sees: 3 % of an installation.
        spec._initializing = False  # type: ignore[attr-defined]  # noqa: SLF001  # its own name
        if parent:
            setattr(sys.modules[parent], child, module)
        return True

    def spec_of(self, name: str) -> ModuleSpec | None:
        """Return the spec of a module that the file has; None where it is damaged or its source changed."""
        file, time, size, is_package, _, _ = self.modules[name]
        loader = _Loader(name, file)
        try:
            loader.code = self.code_of(name)
            facts = os.stat(file)
            fits = facts.st_size == size and facts.st_mtime_ns == time
        except (OSError, ValueError, EOFError, TypeError):
            fits = False
        if not fits:
            del self.modules[name]  # `keep` writes the file with the module as it is now
            return None
        spec = ModuleSpec(name, loader, origin=file, is_package=is_package)
        if is_package:
            spec.submodule_search_locations = [os.path.dirname(file)]
        return spec

    def add(self, names: "Sequence[str]") -> None:
        """Write the file with further modules, if it may hold so many and can be written."""
        # Access is asked first: reading the code of 25 modules in vain would take 1 ms of every `run`.
        writable = not sys.dont_write_bytecode and os.access(os.path.dirname(self._path), os.W_OK)
        if len(self.modules) + len(names) > self._most or not writable:
            return
        # As disk.temporary_name, of which a start with few modules has none.
        temporary = f"{self._path}.{os.urandom(8).hex()}"
        try:
            from denizen.cli.module_cache_writer import content, rows

            places = {row[4]: self._bytes_of(row) for row in self.modules.values()}
            had = {name: (*row[:4], places[row[4]]) for name, row in self.modules.items()}
            modules = had | rows(names, at_once=self._at_once)
            table, codes = content(self._name, self._place, modules)
            with open(temporary, "wb") as stream:
                stream.write(b"%0*d%b%b" % (_DIGITS, len(table), table, codes))
            os.replace(temporary, self._path)
        except (OSError, MemoryError, ValueError):  # ValueError: marshal, where there is no memory
            return  # no room: the next start is as slow as this one

    def _table(self) -> "dict[str, Row] | None":
        """Return the rows of the open file; None if it is incomplete, or of another place or version."""
        try:
            beginning = os.read(self._file, _BEGINNING)
            size = int(beginning[:_DIGITS])
            self._codes = _DIGITS + size
            table = beginning[_DIGITS : _DIGITS + size]
            if len(table) < size:
                table += os.pread(self._file, size - len(table), len(beginning))
            place, first, modules = marshal.loads(table)  # noqa: S302  # as Python reads the .pyc files beside it
            fits = place == self._place and all(len(row) == 6 for row in modules.values())
            self._first = first if 0 <= first <= len(modules) else 0
        except (OSError, ValueError, EOFError, TypeError, AttributeError):
            return None
        return modules if fits else None

    def _read_whole(self) -> None:
        """Read the file and close it: the few descriptors that there may be are the command's."""
        self._whole = os.pread(self._file, os.fstat(self._file).st_size, 0)
        self._close()

    def _close(self) -> None:
        os.close(self._file)
        self._file = -1


def _place_of(package: str) -> tuple[str, ...]:
    """Return the directories of denizen's package, of the library, and of the Python whose rich a file has.

    The directories of packages are not known yet where `site` is put off (main.put_off_site).
    """
    return (package, OF_PYTHON, os.path.dirname(sys.executable))


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
    def __init__(self, cache: ModuleCache) -> None:
        self._cache = cache

    def find_spec(
        self, name: str, _path: "Sequence[str] | None" = None, _target: "ModuleType | None" = None
    ) -> ModuleSpec | None:
        holder = self._cache.holder_of(name)
        return holder.spec_of(name) if holder is not None else None


def _is_kept(name: str) -> bool:
    """Tell whether a module is of denizen, rich or Python and was imported from its source."""
    loader = getattr(sys.modules[name], "__loader__", None)
    if not isinstance(loader, SourceFileLoader) or loader.name != name or name in _WRITERS:
        return False
    path = loader.path
    if name.startswith(("denizen.", "rich.")) or name == "rich":
        return True
    return path.startswith(OF_PYTHON) and "site-packages" not in path
