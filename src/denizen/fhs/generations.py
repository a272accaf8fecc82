"""Named environments on disk: their generations, the current one, and the packages of each.

<state>/fhs/NAME/generations/N.json   one per change, never rewritten
<state>/fhs/NAME/current              the number in force
<state>/fhs/NAME/launch               enters it without Python
<store>/.denizen/gcroots/fhs/NAME/N   keeps the tree of each generation
"""

from __future__ import annotations

import contextlib
import json
import os

from denizen.disk import make_directories, write_atomically
from denizen.errors import BadInput, DenizenError, display
from denizen.fhs.mounts import BindMount
from denizen.formats import storepath
from denizen.store.errors import doing
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from denizen.formats.storepath import StorePath
    from denizen.store.layout import StoreLayout

FORMAT = 1
# What the names begin with of environments that denizen makes for itself: for programs, and for builds.
AUTO_PREFIX = "auto-"
BUILD_PREFIX = "build-"
OWN_PREFIXES = (AUTO_PREFIX, BUILD_PREFIX)
_NAME = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-._")
_MAX_NAME = 64
_MAX_FILE = 16 << 20


class BadEnvironmentName(BadInput):
    """The error that an environment cannot have this name."""

    name: str

    @property
    def what(self) -> str:
        return f"an environment cannot be called {display(self.name)!r}"

    @property
    def why(self) -> str:
        return (
            f"a name has letters, digits and + - . _ and at most {_MAX_NAME} of them, and begins with no dot"
        )


class NoEnvironment(DenizenError):
    """The error that there is no environment of that name."""

    name: str
    known: tuple[str, ...]
    WHAT = "there is no environment {name}"
    REMEDY = "denizen fhs create {name} PACKAGE…"

    @property
    def why(self) -> str:
        return f"there are: {', '.join(self.known)}" if self.known else "there are none yet"


class NoGeneration(DenizenError):
    """The error that an environment has no such generation."""

    name: str
    wanted: int
    known: tuple[int, ...]
    WHAT = "the environment {name} has no generation {wanted}"

    @property
    def why(self) -> str:
        return f"there are: {', '.join(map(str, self.known))}"


class DamagedEnvironment(BadInput):
    """The error that a file about an environment cannot be read."""

    path: bytes
    problem: str
    WHAT = "{path} cannot be read"
    WHY = "{problem:text}"
    REMEDY = "denizen fhs create makes a new generation; denizen fhs rollback goes back to an older one"


class Part(Value):
    """One package of a generation."""

    name: str
    version: str
    architecture: str
    suite: str
    source: str
    sha256: str


class Settings(Value):
    """The user's settings for an environment.

    Attributes:
        packages: as they were named.
        suites: the suites to take packages from; empty for the configured ones.
        architectures: the native one first.
        locales: locales besides C.UTF-8.
        bindings: directories of the host to show.
        environment: variables of commands in it.
        profile: shell text for interactive shells.
    """

    packages: tuple[str, ...]
    suites: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    locales: tuple[str, ...] = ()
    bindings: tuple[BindMount, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    profile: str = ""


class State(Value):
    """The state of an environment at one time.

    Attributes:
        tree: its store object.
        made: seconds since 1970.
    """

    tree: StorePath
    made: int
    settings: Settings
    parts: tuple[Part, ...]


class Generation(State):
    """One state of an environment, with its number."""

    number: int


class EnvironmentStore:
    """The environments in one state directory."""

    def __init__(self, state: bytes) -> None:
        self._top = os.path.join(state, b"fhs")

    def names(self) -> list[str]:
        """Return the names of all environments, sorted."""
        try:
            found = sorted(os.listdir(self._top))
        except FileNotFoundError:
            return []
        return [
            os.fsdecode(name) for name in found if os.path.exists(os.path.join(self._top, name, b"current"))
        ]

    def directory(self, name: str) -> bytes:
        """Return the directory of an environment's files. Raises BadEnvironmentName."""
        raw = os.fsencode(name)
        if not raw or len(raw) > _MAX_NAME or not _NAME.issuperset(raw) or raw.startswith(b"."):
            raise BadEnvironmentName(name)
        return os.path.join(self._top, raw)

    def current(self, name: str) -> Generation:
        """Return the current generation. Raises NoEnvironment, DamagedEnvironment, BadEnvironmentName."""
        path = os.path.join(self.directory(name), b"current")
        try:
            with open(path, "rb") as stream:
                number = stream.read(20).strip()
        except FileNotFoundError:
            raise NoEnvironment(name, tuple(self.names())) from None
        if not number.isdigit():
            raise DamagedEnvironment(path, "it holds no number")
        return self.generation(name, int(number))

    def generation(self, name: str, number: int) -> Generation:
        """Return one generation. Raises NoGeneration, DamagedEnvironment."""
        path = self._file(name, number)
        try:
            with open(path, "rb") as stream:
                return read_generation(stream.read(_MAX_FILE), path)
        except FileNotFoundError:
            raise NoGeneration(name, number, tuple(self.numbers(name))) from None

    def numbers(self, name: str) -> list[int]:
        """Return the numbers of all generations, oldest first."""
        with contextlib.suppress(FileNotFoundError):
            names = os.listdir(os.path.join(self.directory(name), b"generations"))
            return sorted(
                int(stem) for n in names if (stem := n.removesuffix(b".json")).isdigit() and stem != n
            )
        return []

    def add(self, name: str, layout: StoreLayout, state: State) -> Generation:
        """Make the next generation and make it current; return the present one if its state is the same."""
        # If two processes add a generation at once, the second one makes the next number.
        with self._locked(name):
            return self._next(name, layout, state)

    @contextlib.contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        import fcntl

        directory = self.directory(name)
        with doing("write in", directory):
            make_directories(directory, 0o700)
            with open(os.path.join(directory, b"lock"), "wb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield

    def _next(self, name: str, layout: StoreLayout, state: State) -> Generation:
        from denizen.store.collection.gc_roots import add_link

        numbers = self.numbers(name)
        if numbers:
            with contextlib.suppress(NoEnvironment, DamagedEnvironment, NoGeneration):
                held = self.current(name)
                if held.tree == state.tree and held.settings == state.settings:
                    return held
        number = (numbers[-1] if numbers else 0) + 1
        new = Generation(state.tree, state.made, state.settings, state.parts, number)
        path = self._file(name, number)
        # The root first: a generation on record must have its tree in the store.
        add_link(layout, self._root(name, number), state.tree)
        make_directories(os.path.dirname(path), 0o700)
        write_atomically(path, json.dumps(_document(new), indent=1).encode())
        self.switch(name, number)
        return new

    def switch(self, name: str, number: int) -> None:
        """Make a generation the current one. Raises NoGeneration."""
        if number not in self.numbers(name):
            raise NoGeneration(name, number, tuple(self.numbers(name)))
        write_atomically(os.path.join(self.directory(name), b"current"), b"%d\n" % number)

    def touch(self, name: str) -> None:
        """Note that an environment is used now."""
        with contextlib.suppress(OSError):
            os.utime(os.path.join(self.directory(name), b"current"))

    def used(self, name: str) -> float:
        """Return when an environment was used last, in seconds since 1970; a build in it counts."""
        with doing("look at", self.directory(name)):
            return os.stat(os.path.join(self.directory(name), b"current")).st_mtime

    def keep_current(self, name: str, layout: StoreLayout) -> None:
        """Delete all generations of an environment but the current one."""
        with self._locked(name):
            current = self.current(name).number
            for number in self.numbers(name):
                if number != current:
                    os.unlink(self._file(name, number))
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(layout.gcroots + b"/" + self._root(name, number))

    def remove(self, name: str, layout: StoreLayout) -> None:
        """Delete an environment; the next collection deletes its store objects. Raises NoEnvironment."""
        import shutil

        self.current(name)
        directory = self.directory(name)
        with doing("remove", directory):
            # Deleted first: without it there is no environment of that name, even if the rest fails.
            os.unlink(os.path.join(directory, b"current"))
            shutil.rmtree(os.path.join(layout.gcroots, b"fhs", os.fsencode(name)), ignore_errors=True)
            shutil.rmtree(directory)

    def _file(self, name: str, number: int) -> bytes:
        return os.path.join(self.directory(name), b"generations", b"%d.json" % number)

    @staticmethod
    def _root(name: str, number: int) -> bytes:
        return b"fhs/%b/%d" % (os.fsencode(name), number)


def _document(one: Generation) -> dict[str, Any]:
    settings = one.settings
    return {
        "format": FORMAT,
        "number": one.number,
        "tree": one.tree.base,
        "made": one.made,
        "packages": list(settings.packages),
        "suites": list(settings.suites),
        "architectures": list(settings.architectures),
        "locales": list(settings.locales),
        "bindings": [[os.fsdecode(b.source), os.fsdecode(b.target), b.optional] for b in settings.bindings],
        "environment": dict(settings.environment),
        "profile": settings.profile,
        "parts": [[p.name, p.version, p.architecture, p.suite, p.source, p.sha256] for p in one.parts],
    }


def read_generation(text: bytes, path: bytes = b"the record") -> Generation:
    """Return the generation in a file's bytes. Raises DamagedEnvironment."""
    try:
        return _parse(json.loads(text))
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
        BadInput,
    ) as problem:
        raise DamagedEnvironment(path, str(problem)) from problem


def _parse(table: dict[str, Any]) -> Generation:
    if table["format"] != FORMAT:
        raise ValueError(f"it has the format {table['format']}, this denizen reads {FORMAT}")
    settings = Settings(
        tuple(table["packages"]),
        tuple(table["suites"]),
        tuple(table["architectures"]),
        tuple(table["locales"]),
        tuple(BindMount(os.fsencode(s), os.fsencode(t), bool(o)) for s, t, o in table["bindings"]),
        tuple(table["environment"].items()),
        table["profile"],
    )
    tree = storepath.from_base(table["tree"].encode())
    parts = tuple(Part(*row) for row in table["parts"])
    return Generation(tree, int(table["made"]), settings, parts, int(table["number"]))


def users(tree: bytes, proc: bytes = b"/proc") -> Iterator[int]:
    """Yield the numbers of processes in an environment whose tree lies at `tree`, if they can be examined."""
    facts = os.stat(tree)
    for number in os.listdir(proc):
        if number.isdigit():
            with contextlib.suppress(OSError):
                there = os.stat(b"%b/%b/root/.denizen/environment" % (proc, number))
                if (there.st_dev, there.st_ino) == (facts.st_dev, facts.st_ino):
                    yield int(number)
