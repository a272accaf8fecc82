"""`denizen sync`: a profile becomes what a denizen.toml says."""

from __future__ import annotations

import os

from denizen.app.project_file import project_file
from denizen.cli.command import Command
from denizen.cli.commands.install import request_from, show_installed
from denizen.cli.fetch_options import FETCH_OPTIONS
from denizen.cli.options import Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed


def _sync(parsed: Parsed, context: Context) -> int:
    from denizen.app.profiles.sync import sync

    path = parsed.text("file") or project_file(os.getcwd())
    request = request_from(parsed, "sync")
    profile, done = sync(context.session, os.path.abspath(path), request, update=parsed.flag("update"))
    if done.change.changes or context.json:
        return show_installed(context, profile, done)
    context.output.line("the profile is what the file says")
    return 0


COMMANDS = (
    Command(
        ("sync",),
        "make a profile what the table [profile] of a denizen.toml says",
        _sync,
        options=(
            Option(("--file",), "this file; else denizen.toml here or in a directory above", metavar="FILE"),
            Option(("--update",), "take the newest packages, and write denizen.lock anew"),
            *FETCH_OPTIONS,
        ),
        description=(
            "Install what the file lists and remove all else. The first time, denizen.lock is written\n"
            "beside it: with it, everybody gets the same packages, and so the same generation."
        ),
    ),
)
