"""`denizen lock`: write the resolution of a program as a file."""

from __future__ import annotations

import os

from denizen.cli.arguments import output_file
from denizen.cli.command import Command
from denizen.cli.commands.why import CHOOSING
from denizen.cli.options import Option, Positional

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed


def run(parsed: Parsed, context: Context) -> int:
    """Resolve the program and write the lock; return 1 if a problem is left, which the lock then lists."""
    from denizen.app.explain_program import nothing_to_examine
    from denizen.app.lock_program import resolution_to_lock
    from denizen.app.resolution.extra_inputs import wished
    from denizen.app.start_request import locate_existing
    from denizen.cli.views.resolution_view import resolution_lines
    from denizen.output_place import write_output
    from denizen.resolve.lock import write
    from denizen.resolve.resolution_summary import document
    from denizen.sources.fetch_policy import FetchPolicy

    target = output_file(parsed)
    name = os.fsencode(parsed.required("PROGRAM"))
    if not os.path.exists(name):
        name = locate_existing(name, context.environ)
    extra = wished(context.session, parsed.texts("with"), name)
    policy = FetchPolicy(offline=parsed.flag("offline"))
    try:
        resolution = resolution_to_lock(
            context.session, os.path.abspath(name), policy, parsed.texts("suite"), extra
        )
    except OSError as problem:
        raise nothing_to_examine(name, name, problem) from problem
    text = write(resolution)
    if target is not None:
        write_output(target, text)
        for line in resolution_lines(resolution):
            context.output.say(line)
    if context.json:
        context.output.document(document(resolution))
    elif target is None:
        context.output.raw(text)
    return 0 if resolution.is_complete else 1


COMMANDS = (
    Command(
        ("lock",),
        "write the resolution of a program as a lock file",
        run,
        positionals=(
            Positional("PROGRAM", "a program, a library, or a directory of them; or a command in PATH"),
        ),
        options=(
            Option(("-o", "--output"), "write to FILE instead of stdout", metavar="FILE"),
            *CHOOSING,
        ),
        description=(
            "Find exact packages for everything PROGRAM needs and does not bring, check the choice by the\n"
            "model of the dynamic linker, and write it down. PROGRAM is read, never executed.\n\n"
            "Exit status 0: no problem is left; 1: one is, and the file says which."
        ),
    ),
)
