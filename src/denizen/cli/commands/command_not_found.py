"""`denizen command-not-found`: what a shell says about a command that is not there."""

from __future__ import annotations

from denizen.cli.command import Command
from denizen.cli.options import Option, Positional, UsageError
from denizen.errors import EXIT_NOT_FOUND, display, shell_word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed

_SHOWN = 8
# What each shell calls when it finds no command; status 127 is the shell's own.
HOOKS = {
    "bash": 'command_not_found_handle() { denizen command-not-found -- "$1"; return 127; }',
    "zsh": 'command_not_found_handler() { denizen command-not-found -- "$1"; return 127; }',
    "fish": "function fish_command_not_found; denizen command-not-found -- $argv[1]; end",
}


def _command_not_found(parsed: Parsed, context: Context) -> int:
    hook = parsed.text("hook")
    if hook is not None:
        if context.json:
            raise UsageError("command-not-found", "--hook is for a shell, not for --json")
        context.output.line(HOOKS[hook])
        return 0
    from denizen.app.profiles.command_holders import has_paths, holders_of, near_commands
    from denizen.sources.fetch_policy import FetchPolicy

    command = parsed.text("COMMAND")
    if command is None:
        raise UsageError("command-not-found", "COMMAND is missing")
    holders = holders_of(context.session, command, (), FetchPolicy(offline=True), made=False)
    if context.json:
        rows = [{"package": one.package, "version": one.version, "path": one.path} for one in holders]
        context.output.document(rows)
        return EXIT_NOT_FOUND
    context.output.say(f"{display(command)}: command not found")
    if not holders:
        if not has_paths(context.session):
            context.output.say(f"denizen find {shell_word(command)} looks in which package it is")
        elif near := near_commands(context.session, command):
            context.output.say(f"near: {', '.join(one.text for one in near)}")
        return EXIT_NOT_FOUND
    names = [display(one.package) for one in holders[:_SHOWN]]
    more = f" and {len(holders) - _SHOWN} more" if len(holders) > _SHOWN else ""
    context.output.say(f"it is in {', '.join(names)}{more}: denizen x {shell_word(command)} runs it,")
    context.output.say(f"denizen install {shell_word(holders[0].package)} installs it")
    return EXIT_NOT_FOUND


COMMANDS = (
    Command(
        ("command-not-found",),
        "say which packages have a command, for a shell that does not find it",
        _command_not_found,
        (Positional("COMMAND", "its name", optional=True),),
        (
            Option(
                ("--hook",),
                "print the function that makes bash, zsh or fish ask",
                metavar="SHELL",
                choices=tuple(HOOKS),
            ),
        ),
        description=(
            'Put eval "$(denizen command-not-found --hook bash)" into ~/.bashrc, or the like. Only indexes\n'
            "that are here are looked at: denizen index update makes them."
        ),
    ),
)
