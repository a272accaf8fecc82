"""`denizen shell`: the environment that a project's denizen.toml describes."""

from __future__ import annotations

import os

from denizen.cli.command import Command
from denizen.cli.fetch_options import FETCH_OPTIONS, fetch_policy
from denizen.cli.options import Option, Positional

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed


def _shell(parsed: Parsed, context: Context) -> int:
    from denizen.app.environments.fhs_enter import become
    from denizen.app.environments.project_shell import project_shell

    file, policy = parsed.text("file"), fetch_policy(parsed, "shell")
    command = parsed.text("CMD")
    name, generation = project_shell(
        context.session, file, policy, update=parsed.flag("update"), command=command
    )
    if parsed.flag("lock"):
        return 0
    words = None if command is None else [os.fsencode(word) for word in (command, *parsed.texts("ARG"))]
    return become(context.session, name, generation, words)


COMMANDS = (
    Command(
        ("shell",),
        "the environment of this project's denizen.toml",
        _shell,
        (
            Positional("CMD", "a command instead of a shell", optional=True),
            Positional("ARG", "its arguments", optional=True, rest=True),
        ),
        (
            Option(("--file",), "this file; else denizen.toml here or in a directory above", metavar="FILE"),
            Option(("--update",), "take the newest packages, and write denizen.lock anew"),
            Option(("--lock",), "only make the environment and denizen.lock"),
            *FETCH_OPTIONS,
        ),
        description=(
            "Enter the environment that denizen.toml, here or in a directory above, describes. The first\n"
            "time, denizen.lock is written beside it: with it, everybody gets the same packages. A file\n"
            "of another user, who is not root, must be named."
        ),
    ),
)
