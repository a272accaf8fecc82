"""A request to start a program: the options besides the program, and the program found."""

from __future__ import annotations

import os

from denizen.app.session import search_path
from denizen.errors import EXIT_NOT_FOUND, DenizenError
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class NoSuchProgram(DenizenError):
    """There is no such program."""

    exit_status = EXIT_NOT_FOUND
    name: bytes
    reason: str
    WHAT = "cannot start {name}"
    WHY = "{reason:text}"


@value
class RunRequest:
    """What the user asked for besides the program.

    Attributes:
        strategy: the only one to use; "" for the best.
        excluded: strategies that failed a moment ago.
        hermetic: nothing of the host, even where it would do.
        suites, extra, lock: how to resolve; `extra` with a slash is an absolute path.
        offline: fetch nothing.
        trees: virtual environments and prefixes, whose modules a Python opens.
        library_path: the user's LD_LIBRARY_PATH, in absolute paths (app.library_path).
    """

    strategy: str = ""
    excluded: tuple[str, ...] = ()
    hermetic: bool = False
    suites: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    lock: str | None = None
    offline: bool = False
    trees: tuple[str, ...] = ()
    library_path: str = ""

    @property
    def variant(self) -> bytes:
        """Tells apart decisions made with different options; b"" for none.

        Also those of the strategy whose loader reads them: they have no command.
        """
        mapped = self.strategy == "program"
        plain = not (self.hermetic or self.suites or self.extra or self.lock or self.trees or mapped)
        if plain and not self.library_path:
            return b""
        from hashlib import sha256

        lock = b""
        if self.lock is not None:
            with open(self.lock, "rb") as stream:
                lock = stream.read()
        words = (str(self.hermetic), *self.suites, "", *self.extra, "program" if mapped else "", *self.trees)
        if self.library_path:
            words = (*words, "", self.library_path)
        return sha256(os.fsencode("\0".join(words)) + lock).hexdigest()[:16].encode("ascii")

    @property
    def elsewhere(self) -> bool:
        """Whether its libraries are to be other than the host's, even where these would do."""
        return bool(self.hermetic or self.extra or self.lock)

    @property
    def words(self) -> tuple[str, ...]:
        """The options as they would be typed."""
        found = ["--hermetic"] if self.hermetic else []
        for name, values in (("--suite", self.suites), ("--with", self.extra), ("--tree", self.trees)):
            found += [word for given in values for word in (name, given)]
        found += ["--lock", self.lock] if self.lock is not None else []
        found += ["--library-path", self.library_path] if self.library_path else []
        return (*found, "--offline") if self.offline else tuple(found)

    @property
    def followers(self) -> RunRequest:
        """What holds for the program's children: a lock is of one program, LD_LIBRARY_PATH of one start."""
        from denizen.value import replace

        return replace(self, strategy="", excluded=(), lock=None, library_path="")

    @property
    def without_library_path(self) -> RunRequest:
        """What would be asked for without an LD_LIBRARY_PATH."""
        from denizen.value import replace

        return replace(self, library_path="") if self.library_path else self


def for_program(wanted: RunRequest, program: bytes) -> RunRequest:
    """With the virtual environment that the program's path is in, or a Python's own modules."""
    from denizen.launch.virtualenv import tree_of

    tree = os.fsdecode(tree_of(program))
    if not tree or tree in wanted.trees:
        return wanted
    from denizen.value import replace

    return replace(wanted, trees=(*wanted.trees, tree))


def with_library_path(wanted: RunRequest, environ: Mapping[str, str]) -> RunRequest:
    """With the user's LD_LIBRARY_PATH, if there is one; a strategy that was asked for keeps it too."""
    if not environ.get("LD_LIBRARY_PATH"):
        return wanted
    from denizen.app.library_path import library_path_of
    from denizen.value import replace

    return replace(wanted, library_path=library_path_of(environ))


def absolute(name: str) -> str:
    """A path as every directory sees it; a soname or a package as it is. Raises NotThere."""
    if "/" not in name:
        return name
    if not os.path.exists(name):
        raise NoSuchProgram(os.fsencode(name), "there is no such library or directory to bring")
    return os.path.abspath(name)


def locate(name: bytes, environ: Mapping[str, str]) -> bytes:
    """A path as it was given, or a command in PATH as a shell would find it. Raises NotThere."""
    if b"/" in name:
        return name
    for directory in search_path(environ):
        candidate = os.path.join(directory or b".", name)
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    if os.path.isfile(name):
        return b"./" + name
    raise NoSuchProgram(name, "there is no such file here, and no such command in PATH")
