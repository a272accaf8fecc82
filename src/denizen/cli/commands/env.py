"""`denizen env`: the variables by which a shell finds what is installed."""

from __future__ import annotations

import os

from denizen.cli.command import Command
from denizen.cli.commands.install import PROFILE_OPTIONS, profile_from
from denizen.cli.options import Option, UsageError
from denizen.errors import display
from denizen.profiles.shell_environment import SHELLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed


def _env(parsed: Parsed, context: Context) -> int:
    from denizen.profiles.shell_environment import direnv_function, script, settings

    if parsed.flag("direnv"):
        if context.json:
            raise UsageError("env", "--direnv is for direnv, not for --json")
        lines = direnv_function("denizen")
    else:
        chosen = profile_from(parsed, context)
        if parsed.text("profile") and chosen.current() is None:  # without the option it may be a first login
            context.output.say(f"denizen: there is nothing in the profile {display(chosen.place)} yet")
        profile = os.fsdecode(chosen.place)
        if context.json:
            context.output.document(settings(profile, context.environ))
            return 0
        lines = script(profile, context.environ, parsed.text("shell") or _shell(context))
    for line in lines:
        context.output.line(line)
    return 0


def _shell(context: Context) -> str:
    """Return the user's shell; that which evaluates the output is not known otherwise."""
    name = os.path.basename(context.environ.get("SHELL", ""))
    return name if name in SHELLS else "sh"


COMMANDS = (
    Command(
        ("env",),
        "the variables by which a shell finds what is installed",
        _env,
        options=(
            *PROFILE_OPTIONS,
            Option(("--shell",), "for this shell; $SHELL if not given", metavar="NAME", choices=SHELLS),
            Option(("--direnv",), "print the function use_denizen, for direnv's direnvrc"),
        ),
        description=(
            'Put eval "$(denizen env)" into ~/.profile, or denizen env --shell fish | source into fish\'s\n'
            "config.fish. It sets PATH, MANPATH, INFOPATH and XDG_DATA_DIRS, and zsh's fpath."
        ),
    ),
)
