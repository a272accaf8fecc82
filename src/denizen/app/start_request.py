"""A request to start a program: its options, and the search for the program."""

from __future__ import annotations

import os

from denizen.app.session import search_path
from denizen.errors import EXIT_NOT_FOUND, DenizenError, display, shell_word
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class NoSuchProgram(DenizenError):
    """The error that there is no such program.

    Attributes:
        name: as it was given.
        reason: why there is none.
        near: the path of the program that may have been meant; b"" for none.
        is_to_start: it was to be started, not bundled or the like.
    """

    exit_status = EXIT_NOT_FOUND
    name: bytes
    reason: str
    near: bytes = b""
    is_to_start: bool = True
    WHY = "{reason:text}"

    @property
    def what(self) -> str:
        return f"{'cannot start' if self.is_to_start else 'there is no program'} {display(self.name)}"

    @property
    def remedy(self) -> str:
        """Return the same command with the name that may have been meant, or the name."""
        if not self.near:
            return ""
        near = shell_word(self.near)
        return f"denizen run {near}" if self.is_to_start else f"did you mean {near}?"


def no_such_program(path: bytes, problem: OSError, *, is_to_start: bool = True) -> NoSuchProgram:
    """Return the error for a program that could not be opened."""
    from denizen.app.no_program import near_program, why_missing

    return NoSuchProgram(path, why_missing(path, problem), near_program(path), is_to_start)


class RunRequest(Value):
    """The options of a start, apart from the program itself.

    Attributes:
        strategy: the only one to use; "" for the best.
        excluded: strategies that failed a moment ago.
        hermetic: use no library of the host, even where it would do.
        suites: the suites to resolve in; () for the sources' own.
        extra: sonames, package names and absolute paths to resolve in addition.
        lock: path of the lock file to resolve by; None for none.
        offline: fetch nothing to decide.
        stays_offline: fetch nothing for the program while it runs either.
        ask: ask at the terminal about what a running program wants beyond the budget.
        trees: virtual environments and prefixes, whose modules a Python interpreter opens.
        library_path: the user's LD_LIBRARY_PATH, in absolute paths (app.library_path).
        installed: it is a command of a profile, whose decisions are kept apart (app.profiles).
        named: words of the program's arguments that may be commands (launch.named_commands).
        around: trees of packages in the store whose files the program is to find at their paths.
    """

    strategy: str = ""
    excluded: tuple[str, ...] = ()
    hermetic: bool = False
    suites: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    lock: str | None = None
    offline: bool = False
    stays_offline: bool = False
    ask: bool = False
    trees: tuple[str, ...] = ()
    library_path: str = ""
    installed: bool = False
    named: tuple[bytes, ...] = ()
    around: tuple[bytes, ...] = ()

    @property
    def variant(self) -> bytes:
        """Return a hash of the options that change decisions; b"" for the defaults.

        The strategy "direct" counts as one of them: its decisions have no command, for the loader reads
        them.
        """
        mapped = self.strategy == "direct"
        if self.installed:
            from denizen.launch.fast_path import INSTALLED
            from denizen.value import replace

            apart = replace(self, installed=False).variant
            return INSTALLED + (b"-" + apart if apart else b"")
        libraries = self.hermetic or self.suites or self.extra or self.lock or self.trees
        plain = not (libraries or self.stays_offline or self.ask or mapped)
        options = b"" if plain else self._digest(mapped=mapped)
        if not self.library_path:
            return options
        from denizen.launch.decisions.decision_variants import variant_with

        return variant_with(options, self.library_path)

    def _digest(self, *, mapped: bool) -> bytes:
        """Return a hash of the options without LD_LIBRARY_PATH."""
        from denizen.sha256 import hex_digest_of

        lock = b""
        if self.lock is not None:
            from denizen.disk import open_regular
            from denizen.resolve.lock import MAX_SIZE

            with open(self.lock, "rb", opener=open_regular) as stream:
                lock = stream.read(MAX_SIZE + 1)
        # The strategy's old name, so that what was decided under it is found.
        words = (str(self.hermetic), *self.suites, "", *self.extra, "program" if mapped else "", *self.trees)
        # What the budget kept out of other starts is to be asked about.
        words = (*words, "", "ask") if self.ask else words
        words = (*words, "", "offline") if self.stays_offline else words
        return hex_digest_of(os.fsencode("\0".join(words)) + lock)[:16].encode("ascii")

    @property
    def rules_out_host(self) -> bool:
        """Tell whether the host's libraries are not to be used, even where they would do."""
        return bool(self.hermetic or self.extra or self.lock or self.around)

    @property
    def words(self) -> tuple[str, ...]:
        """Return the options as words of a command line."""
        found = ["--hermetic"] if self.hermetic else []
        for name, values in (("--suite", self.suites), ("--with", self.extra), ("--tree", self.trees)):
            found += [word for given in values for word in (name, given)]
        found += ["--lock", self.lock] if self.lock is not None else []
        found += ["--library-path", self.library_path] if self.library_path else []
        found += ["--ask"] if self.ask else []
        return (*found, "--offline") if self.stays_offline else tuple(found)

    @property
    def followers(self) -> RunRequest:
        """Return the request for the program's children.

        It has no lock, which is of one program, and no LD_LIBRARY_PATH, which is of one start: the loader
        adds each child's own.
        """
        from denizen.value import replace

        plain = replace(self, strategy="", excluded=(), lock=None, library_path="", installed=False)
        return replace(plain, named=(), around=())

    @property
    def without_library_path(self) -> RunRequest:
        """Return the request without an LD_LIBRARY_PATH."""
        from denizen.value import replace

        return replace(self, library_path="") if self.library_path else self


def for_program(wanted: RunRequest, program: bytes) -> RunRequest:
    """Return the request with the virtual environment of the program, or the own modules of a Python."""
    from denizen.launch.virtualenv import tree_of

    tree = os.fsdecode(tree_of(program))
    if not tree or tree in wanted.trees:
        return wanted
    from denizen.value import replace

    return replace(wanted, trees=(*wanted.trees, tree))


def with_library_path(wanted: RunRequest, environ: Mapping[str, str]) -> RunRequest:
    """Return the request with the user's LD_LIBRARY_PATH, if there is one in `environ`."""
    if not environ.get("LD_LIBRARY_PATH"):
        return wanted
    from denizen.app.library_path import library_path_of
    from denizen.value import replace

    return replace(wanted, library_path=library_path_of(environ))


def absolute(name: str) -> str:
    """Return a path as an absolute path; a soname or a package name unchanged. Raises NoSuchProgram."""
    if "/" not in name:
        return name
    if not os.path.exists(name):
        raise NoSuchProgram(os.fsencode(name), "there is no such library or directory to bring")
    return os.path.abspath(name)


def locate(name: bytes, environ: Mapping[str, str]) -> bytes:
    """Return a path unchanged, or the file that a shell would find in PATH for a command.

    Raises NoSuchProgram.
    """
    if b"/" in name:
        return name
    for directory in search_path(environ):
        candidate = os.path.join(directory or b".", name)
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    if os.path.isfile(name):
        return b"./" + name
    raise NoSuchProgram(name, _absence(name))


def locate_existing(name: bytes, environ: Mapping[str, str]) -> bytes:
    """Return what `locate` returns, for a command that starts nothing. Raises NoSuchProgram."""
    try:
        path = locate(name, environ)
        os.stat(path)
    except NoSuchProgram:
        raise NoSuchProgram(name, _absence(name), is_to_start=False) from None
    except OSError as problem:
        raise no_such_program(path, problem, is_to_start=False) from problem
    return path


def _absence(name: bytes) -> str:
    here = "what has this name here is a directory" if os.path.isdir(name) else "there is no such file here"
    return f"{here}, and no such command in PATH"
