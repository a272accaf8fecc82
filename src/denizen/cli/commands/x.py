"""`denizen x`: a command of a package, started without installing the package."""

from __future__ import annotations

import os
import sys

from denizen.cli.command import Command
from denizen.cli.fetch_options import FETCH_OPTIONS
from denizen.cli.options import Option, Positional
from denizen.errors import DenizenError, display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.profiles.command_holders import CommandHolder
    from denizen.app.profiles.try_command import SeveralHolders
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed


def _x(parsed: Parsed, context: Context) -> int:
    """Become the command; return only with an error."""
    from denizen.app.profiles.try_command import tried_command

    command = parsed.required("COMMAND")
    plain = not (parsed.text("from") or parsed.texts("suite"))
    offline = parsed.flag("offline")
    path = tried_command(context.session, command, stays_offline=offline) if plain else None
    if path is None:
        path = _offline(parsed, context, command) if offline and plain else _brought(parsed, context, command)
    from denizen.launch.process_state import become

    words = [os.fsencode(word) for word in parsed.texts("ARG")]
    context.session.reporter.leave()
    become(path, [os.fsencode(command), *words])


def _offline(parsed: Parsed, context: Context, command: str) -> bytes:
    """Return the command that stays offline, or where none can be made now the one of starts without it."""
    from denizen.app.profiles.try_command import tried_command

    try:
        return _brought(parsed, context, command)
    except DenizenError as problem:
        path = tried_command(context.session, command, stays_offline=False)
        if path is None:
            raise
        context.session.reporter.say(
            f"denizen: in spite of --offline it may fetch while it runs: {problem.what}"
        )
        return path


def _brought(parsed: Parsed, context: Context, command: str) -> bytes:
    from denizen.app.profiles.command_holders import holders_of
    from denizen.app.profiles.try_command import brought_command
    from denizen.cli.commands.install import request_from
    from denizen.value import replace

    request = request_from(parsed, "x", parsed.texts("suite"))
    request = replace(request, stays_offline=request.offline)
    package = parsed.text("from")
    if package is None:
        holders = holders_of(context.session, command, request.suites, request.policy)
        package = _chosen(context, command, holders)
    return brought_command(context.session, command, package, request)


def _chosen(context: Context, command: str, holders: Sequence[CommandHolder]) -> str:
    """Return the package; ask at a terminal where it is not clear. Raises NoCommand, SeveralHolders."""
    from denizen.app.profiles.try_command import SeveralHolders, chosen_package

    try:
        return chosen_package(context.session, command, holders)
    except SeveralHolders as several:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise
        return _asked(context, several)


def _asked(context: Context, several: SeveralHolders) -> str:
    shown = several.holders[:20]
    context.output.say(f"several packages have a command {display(several.command)}:")
    for number, one in enumerate(shown, 1):
        context.output.say(f"  {number}  {display(one.package)} {display(one.version)}")
    sys.stderr.write(f"which? [1-{len(shown)}] ")
    sys.stderr.flush()
    answer = sys.stdin.readline().strip()
    if not (answer.isascii() and answer.isdigit() and 1 <= int(answer) <= len(shown)):
        raise several
    return shown[int(answer) - 1].package


COMMANDS = (
    Command(
        ("x",),
        "run a command of a package without installing it",
        _x,
        (
            Positional("COMMAND", "its name"),
            Positional("ARG", "its arguments; options after COMMAND are its own", optional=True, rest=True),
        ),
        (
            Option(("--from",), "the package, where several have the command", metavar="PACKAGE"),
            Option(("--suite",), "take packages from this suite", metavar="NAME", repeat=True),
            *FETCH_OPTIONS,
        ),
        description=(
            "Find the package that has COMMAND, bring it and what it needs, and become the command. The\n"
            "package of the command's own name comes first, then essential and required ones; where it\n"
            "is not clear which is meant you are asked, or told the choices. Nothing is installed: what\n"
            "was brought goes when it was not used for 30 days."
        ),
    ),
)
