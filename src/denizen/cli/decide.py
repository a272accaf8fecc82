"""`denizen decide`: what the loader asks for when it meets a program nobody decided about."""

from __future__ import annotations

import os

from denizen.cli.command import Command, Context
from denizen.cli.options import Option, Positional
from denizen.cli.run import EXCEPT, RESOLVING, STRATEGY, for_program, wanted_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.cli.options import Parsed


def _decide(parsed: Parsed, context: Context) -> int:
    """Decide and do no more."""
    from denizen.cli.deciding import decide

    settings = dict(word.split("=", 1) for word in parsed.texts("set") if "=" in word)
    context = Context({**context.environ, **settings}, context.output, context.root, context.json)
    program = os.path.abspath(os.fsencode(parsed.required("PROGRAM")))
    decide(context, program, for_program(wanted_from(parsed), program))
    return 0


COMMANDS = (
    Command(
        ("decide",),
        "find out what a program needs and bring it, without starting it",
        _decide,
        positionals=(Positional("PROGRAM", "its path"),),
        options=(STRATEGY, *RESOLVING, EXCEPT, Option(("--set",), "", metavar="NAME=VALUE", repeat=True)),
    ),
)
