"""`denizen run`: start a program, resolving what it needs on first use.

Most starts are of a program that is decided; nothing but `launch.fast_path` is imported for them.
"""

from __future__ import annotations

import os

from denizen.app.paths import paths_of
from denizen.cli.command import Command, search_path
from denizen.cli.options import Option, Positional
from denizen.errors import EXIT_CANNOT_START, EXIT_NOT_FOUND, DenizenError, display
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from denizen.cli.command import Context
    from denizen.cli.options import Parsed
    from denizen.launch.decisions.decision import Decision

STRATEGIES = ("auto", "host", "loader", "namespace", "stub", "program", "fhs")


class NoSuchProgram(DenizenError):
    """There is no such program."""

    exit_status = EXIT_NOT_FOUND
    name: bytes
    reason: str

    @property
    def what(self) -> str:
        return f"cannot start {display(self.name)}"

    @property
    def why(self) -> str:
        return self.reason


class NotStarted(DenizenError):
    """The kernel refused a program that should have started."""

    exit_status = EXIT_CANNOT_START
    name: bytes
    reason: str

    @property
    def what(self) -> str:
        return f"cannot start {display(self.name)}"

    @property
    def why(self) -> str:
        return self.reason

    @property
    def remedy(self) -> str:
        return f"denizen why {display(self.name)}"


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


def wanted_from(parsed: Parsed) -> RunRequest:
    """The options of run, decide and their like."""
    strategy = parsed.text("strategy") or "auto"
    lock = parsed.text("lock")
    if lock is not None and not os.path.isfile(lock):
        raise NoSuchProgram(os.fsencode(lock), "there is no such lock file")
    return RunRequest(
        strategy="" if strategy == "auto" else strategy,
        excluded=parsed.texts("except"),
        hermetic=parsed.flag("hermetic"),
        suites=parsed.texts("suite"),
        extra=tuple(map(absolute, parsed.texts("with"))),
        lock=os.path.abspath(lock) if lock is not None else None,
        offline=parsed.flag("offline"),
        trees=parsed.texts("tree"),
        library_path=parsed.text("library-path") or "",
    )


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


def _run(parsed: Parsed, context: Context) -> int:
    """Become the program; comes back only with an error."""
    words = parsed.texts("ARG")
    name = os.fsencode(parsed.required("PROGRAM"))
    arguments = [os.fsencode(word) for word in words]
    wanted = with_library_path(wanted_from(parsed), context.environ)
    program = locate(name, context.environ)
    wanted = for_program(wanted, program)
    if parsed.flag("plan"):
        from denizen.app.decision_maker import show_plan

        return show_plan(context, os.path.abspath(program), wanted)
    _start(context, program, arguments, wanted)
    raise NotStarted(name, "it did not start")


def _start(context: Context, program: bytes, arguments: list[bytes], wanted: RunRequest) -> None:
    from denizen.launch.decisions.decision import GENERATION
    from denizen.launch.fast_path import start

    decision: Decision | None = None
    if not (wanted.strategy or wanted.excluded):
        try:
            directory, decision = _decided(context, program, wanted)
            if decision is None and wanted.library_path:
                _decide_apart(context, program, wanted)
                directory, decision = _decided(context, program, wanted)
        except OSError as problem:
            raise NoSuchProgram(program, problem.strerror or str(problem)) from problem
        if decision is not None and decision.generation < GENERATION:
            decision = _renewed(context, program, wanted, decision)
        if decision is not None:
            try:  # noqa: SIM105  # contextlib is one more import on the warm path
                start(directory, decision, program, arguments)
            except OSError:
                pass  # a tool of ours has gone: decided anew below, and told if it fails again
    from denizen.app.decision_maker import decide

    made = decide(context, os.path.abspath(program), wanted, decision)
    context.output.stderr.flush()
    try:
        start(made.directory, made.decision, program, arguments)
    except OSError as problem:
        raise NotStarted(program, problem.strerror or str(problem)) from problem


def _decided(context: Context, program: bytes, wanted: RunRequest) -> tuple[bytes, Decision | None]:
    """Return the decision that still holds and its directory. Raises OSError: there is no such program.

    What the host satisfies without an LD_LIBRARY_PATH it satisfies with it as it would natively.
    """
    from denizen.launch.fast_path import decided, directory_of
    from denizen.launch.virtualenv import newest

    since = newest(wanted.trees)
    directory = directory_of(paths_of(context).decisions, wanted.variant)
    if wanted.library_path:
        plain = directory_of(paths_of(context).decisions, wanted.without_library_path.variant)
        decision = decided(plain, program, since)
        if decision is not None and decision.host:
            return plain, decision
    return directory, decided(directory, program, since)


def _renewed(context: Context, program: bytes, wanted: RunRequest, old: Decision) -> Decision:
    """Decided again by the rules of now; as it was decided where that fails, without a network for one."""
    from denizen.app.decision_maker import decide

    try:
        return decide(context, os.path.abspath(program), wanted).decision
    except DenizenError as problem:
        context.output.say(f"denizen: not decided again, which it should be: {problem.what}")
        return old


def _decide_apart(context: Context, program: bytes, wanted: RunRequest) -> None:
    """Decide in a process whose Python the user's LD_LIBRARY_PATH does not reach; what fails is told there.

    What a vendor's bundle brings under it may be older than what Python's own modules need.
    """
    import subprocess

    from denizen.app.factories import helper_words
    from denizen.app.library_path import VARIABLE

    given = {name: text for name, text in context.environ.items() if name != VARIABLE}
    command = [*helper_words(context, "decide", wanted.words), b"--", os.path.abspath(program)]
    done = subprocess.run(command, env=given, check=False)
    if done.returncode:
        raise SystemExit(done.returncode)


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


RESOLVING = (
    Option(("--hermetic",), "use nothing of the host, even where it has all that is needed"),
    Option(
        ("--suite",), "choose packages from this suite only (may be repeated)", metavar="NAME", repeat=True
    ),
    Option(
        ("--with",),
        "bring this soname or package too, or what is needed at this path (may be repeated)",
        metavar="NAME",
        repeat=True,
    ),
    Option(("--lock",), "take exactly what this lock file says", metavar="FILE"),
    Option(("--offline",), "fetch nothing"),
    Option(("--tree",), "", metavar="DIR", repeat=True),
    Option(("--library-path",), "", metavar="DIRS"),
)
STRATEGY = Option(
    ("--strategy",),
    "how to start it: auto, host, loader, namespace, stub, program or fhs",
    metavar="HOW",
    choices=STRATEGIES,
    default="auto",
)
EXCEPT = Option(("--except",), "", metavar="HOW", repeat=True)

COMMANDS = (
    Command(
        ("run",),
        "start a program, bringing what it needs",
        _run,
        positionals=(
            Positional("PROGRAM", "a path, or a command in PATH"),
            Positional("ARG", "its arguments; options after PROGRAM are its own", optional=True, rest=True),
        ),
        options=(
            STRATEGY,
            Option(("--plan",), "print packages, sizes and strategy; do nothing"),
            *RESOLVING,
            EXCEPT,
        ),
        description=(
            "Start PROGRAM. What it needs and this host lacks is found, fetched into denizen's store and\n"
            "used for this program alone; the next start is nearly free. Neither PROGRAM's file nor the\n"
            "system is changed.\n\n"
            "Exit status: the program's own; 125 where denizen failed, 126 where the program cannot be\n"
            "started, 127 where there is none."
        ),
    ),
)
