"""`denizen decide`: what the loader asks for when it meets a program nobody decided about."""

from __future__ import annotations

import contextlib
import os

from denizen.app.request import for_program
from denizen.cli.command import Command
from denizen.cli.commands.run import EXCEPT, RESOLVING, STRATEGY, wanted_from
from denizen.cli.options import Option, Positional
from denizen.errors import DenizenError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed


def _decide(parsed: Parsed, context: Context) -> int:
    """Decide and do no more."""
    settings = dict(word.split("=", 1) for word in parsed.texts("set") if "=" in word)
    session = context.session.with_variables(settings)
    program = os.path.abspath(os.fsencode(parsed.required("PROGRAM")))
    wanted = for_program(wanted_from(parsed), program)
    needed, missed, opened = parsed.text("needed"), parsed.text("missed"), parsed.text("opened")
    name = needed or missed
    if name is not None and opened is not None:
        from denizen.app.missing_library import answer

        # No network, a full disk: the program sees the error that it would have had, and no sentence of ours.
        with contextlib.suppress(DenizenError, OSError):
            answer(session, os.fsencode(opened), os.fsencode(name), wanted, needed=needed is not None)
        return 0
    from denizen.app.decision_maker import decide

    decide(session, program, wanted)
    return 0


COMMANDS = (
    Command(
        ("decide",),
        "find out what a program needs and bring it, without starting it",
        _decide,
        positionals=(Positional("PROGRAM", "its path"),),
        options=(
            STRATEGY,
            *RESOLVING,
            EXCEPT,
            Option(("--set",), "", metavar="NAME=VALUE", repeat=True),
            # The resident asks: a name that is missed, by the program or by an object's DT_NEEDED, and where
            # its link is to be.
            Option(("--missed",), "", metavar="NAME"),
            Option(("--needed",), "", metavar="NAME"),
            Option(("--opened",), "", metavar="DIR"),
        ),
    ),
)
