"""`denizen decide`: the helper that the loader starts for a program without a decision."""

from __future__ import annotations

import contextlib
import os

from denizen.app.start_request import for_program
from denizen.cli.command import Command
from denizen.cli.commands.run import EXCEPT, RESOLVING, STRATEGY, wanted_from
from denizen.cli.options import Option, Positional
from denizen.errors import DenizenError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed


def _decide(parsed: Parsed, context: Context) -> int:
    """Make and keep the decision, or provide to a running program what it misses."""
    settings = dict(word.split("=", 1) for word in parsed.texts("set") if "=" in word)
    session = context.session.with_variables(settings)
    program = os.path.abspath(os.fsencode(parsed.required("PROGRAM")))
    wanted = for_program(wanted_from(parsed, context.session.reporter), program)
    if parsed.text("opened") is not None or parsed.text("place") is not None:
        # On an error (no network, a full disk) the program sees its own error, without a message of denizen.
        with contextlib.suppress(DenizenError, OSError):
            _answer(parsed, session, program, wanted)
    elif parsed.flag("command"):
        _bring_command(parsed, session, program, wanted)
    elif parsed.flag("installed"):
        from denizen.app.profiles.installed_command import decide_installed

        decide_installed(session, program, wanted)
    else:
        from denizen.app.decisions.child_decision import decide_child

        decide_child(session, program, wanted)
    return 0


def _answer(parsed: Parsed, session: Session, program: bytes, wanted: RunRequest) -> None:
    """Bring the library or the file that a running program misses."""
    place = parsed.text("place")
    if place is not None:
        from denizen.app.run_time.missing_place import fill_place

        fill_place(session, program, os.fsencode(place), wanted)
        return
    opened = os.fsencode(parsed.required("opened"))
    needed, mentioned, path = parsed.text("needed"), parsed.text("mentioned"), parsed.text("at")
    filled = parsed.text("filled")
    name = needed or parsed.text("missed")
    if name is not None:
        from denizen.app.run_time.missing_library import answer

        answer(session, opened, os.fsencode(name), wanted, needed=needed is not None)
    elif mentioned is not None:
        from denizen.app.run_time.mentioned_files import bring_mentioned

        bring_mentioned(session, opened, os.fsencode(mentioned), wanted)
    elif filled is not None:
        from denizen.app.run_time.missing_place import fill_place_below

        fill_place_below(session, opened, os.fsencode(filled), wanted)
    elif path is not None:
        from denizen.app.run_time.missing_path import bring_path

        bring_path(session, opened, os.fsencode(path), wanted)


def _bring_command(parsed: Parsed, session: Session, program: bytes, wanted: RunRequest) -> None:
    """Bring the command at a place, or look whether there is one. Raises DenizenError."""
    from denizen.app.run_time.looked_for_command import Looker, look_for_command
    from denizen.app.run_time.missing_command import bring_command

    looker = parsed.text("look")
    # A program that only tried a name sees its own error.
    tried = (DenizenError, OSError) if looker or parsed.flag("try") else ()
    with contextlib.suppress(*tried):
        if looker:
            look_for_command(session, program, wanted, Looker(looker))
        else:
            bring_command(session, program, wanted)


COMMANDS = (
    Command(
        ("decide",),
        "choose and fetch what a program needs, without starting it",
        _decide,
        positionals=(Positional("PROGRAM", "its path"),),
        options=(
            STRATEGY,
            *RESOLVING,
            EXCEPT,
            Option(("--set",), "", metavar="NAME=VALUE", repeat=True),
            # For the loader in the place of a command: PROGRAM is that place.
            Option(("--command",), ""),
            # For the library inside a program: the program may do without the command.
            Option(("--try",), ""),
            # For the same: who looks for the command along PATH (app/run_time/looked_for_command.py).
            Option(("--look",), "", metavar="WHO", choices=("program", "script", "argument")),
            # For the same: that program looks at the place PROGRAM (app/run_time/missing_place.py).
            Option(("--place",), "", metavar="PATH"),
            # For the loader that is a command of a profile: PROGRAM is the command.
            Option(("--installed",), ""),
            # For the resident: the missing soname, of a dlopen or a DT_NEEDED, and the directory for
            # its link.
            Option(("--missed",), "", metavar="NAME"),
            Option(("--needed",), "", metavar="NAME"),
            Option(("--opened",), "", metavar="DIR"),
            # Or an object that names files which this root lacks.
            Option(("--mentioned",), "", metavar="PATH"),
            # Or a library that the program opens by a path at which only a package has it.
            Option(("--at",), "", metavar="PATH"),
            # For the process that answers for an emulated program: it looks at this place.
            Option(("--filled",), "", metavar="PLACE"),
        ),
    ),
)
