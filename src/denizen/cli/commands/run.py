"""`denizen run`: start of a program; its libraries are resolved at the first start.

Most starts have a kept decision; only `launch.fast_path` is imported for them.
"""

from __future__ import annotations

import os

from denizen.app.run_program import NotStarted, start_program
from denizen.app.start_request import (
    NoSuchProgram,
    RunRequest,
    absolute,
    for_program,
    locate,
    with_library_path,
)
from denizen.cli.command import Command
from denizen.cli.options import Option, Positional

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Reporter
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed

STRATEGY_WORDS = ("auto", "host", "loader", "namespace", "stub", "direct", "fhs", "emulated")
# Words of the release before; they go with the next one.
_RETIRED = {"program": "direct"}


def wanted_from(parsed: Parsed, reporter: Reporter) -> RunRequest:
    """Return the request for the options that run, decide and others share."""
    strategy = _current_word(parsed.text("strategy") or "auto", reporter)
    lock = parsed.text("lock")
    if lock is not None and not os.path.isfile(lock):
        absent = not os.path.lexists(lock)
        raise NoSuchProgram(
            os.fsencode(lock), "there is no such lock file" if absent else "it is no lock file"
        )
    return RunRequest(
        strategy="" if strategy == "auto" else strategy,
        excluded=tuple(_RETIRED.get(word, word) for word in parsed.texts("except")),
        hermetic=parsed.flag("hermetic"),
        suites=parsed.texts("suite"),
        extra=tuple(map(absolute, parsed.texts("with"))),
        lock=os.path.abspath(lock) if lock is not None else None,
        offline=parsed.flag("offline"),
        stays_offline=parsed.flag("offline"),
        ask=parsed.flag("ask"),
        trees=parsed.texts("tree"),
        library_path=parsed.text("library-path") or "",
    )


def _current_word(strategy: str, reporter: Reporter) -> str:
    """Return the current name of a strategy; report that a retired name was used."""
    if strategy not in _RETIRED:
        return strategy
    current = _RETIRED[strategy]
    reporter.say(f"denizen: --strategy {strategy} is called {current} now; the old word will go")
    return current


def _run(parsed: Parsed, context: Context) -> int:
    """Become the program; return only with an error."""
    words = parsed.texts("ARG")
    name = os.fsencode(parsed.required("PROGRAM"))
    arguments = [os.fsencode(word) for word in words]
    wanted = with_library_path(wanted_from(parsed, context.session.reporter), context.environ)
    program = locate(name, context.environ)
    wanted = for_program(wanted, program)
    if parsed.flag("plan"):
        return _show_plan(context, os.path.abspath(program), wanted)
    start_program(context.session, program, arguments, wanted)
    raise NotStarted(name, "it did not start")


def _show_plan(context: Context, program: bytes, wanted: RunRequest) -> int:
    """Print the packages and the strategies."""
    from denizen.app.decisions.dry_run import plan_for
    from denizen.cli.views.resolution_view import resolution_lines
    from denizen.cli.views.strategy_view import strategy_document, strategy_lines
    from denizen.resolve.resolution_summary import document

    plan, output = plan_for(context.session, program, wanted), context.output
    status = 0 if plan.resolution is None or plan.resolution.is_complete else 1
    if context.json:
        fields = None if plan.resolution is None else document(plan.resolution)
        strategy = strategy_document(plan.verdicts, plan.emulator, plan.files, unstarted=plan.unstarted)
        output.document({"resolution": fields, "strategy": strategy})
        return status
    satisfied = "it is static" if plan.emulator else "this host has all it needs"
    lines = (satisfied,) if plan.resolution is None else resolution_lines(plan.resolution)
    strategies = strategy_lines(plan.verdicts, plan.emulator, plan.files, unstarted=plan.unstarted)
    for line in (*lines, *strategies):
        output.line(line)
    return status


RESOLVING = (
    Option(("--hermetic",), "use nothing of the host, even where it has all that is needed"),
    Option(
        ("--suite",), "choose packages from this suite only (may be repeated)", metavar="NAME", repeat=True
    ),
    Option(
        ("--with",),
        "add this soname or package, or the libraries of the objects at this path (may be repeated)",
        metavar="NAME",
        repeat=True,
    ),
    Option(("--lock",), "take exactly what this lock file says", metavar="FILE"),
    Option(("--offline",), "fetch nothing"),
    Option(("--ask",), "ask at the terminal about what the running program wants beyond the budget"),
    Option(("--tree",), "", metavar="DIR", repeat=True),
    Option(("--library-path",), "", metavar="DIRS"),
)
STRATEGY = Option(
    ("--strategy",),
    "how to start it: auto, host, loader, namespace, stub, direct, fhs or emulated",
    metavar="HOW",
    choices=STRATEGY_WORDS,
    retired=tuple(_RETIRED),
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
