"""`denizen system`: a machine by a description, in generations that are activated and gone back to."""

from __future__ import annotations

import os

from denizen.cli.arguments import parse_generation
from denizen.cli.command import Command
from denizen.cli.fetch_options import FETCH_OPTIONS
from denizen.cli.options import Option, Positional
from denizen.errors import display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.system.system_access import SystemAccess
    from denizen.app.system.system_switch import SystemChange
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed

_TARGET = Option(("--target",), "the root of the system, in place of this machine's own", metavar="DIR")
_SPEC = Positional(
    "SPEC",
    "the description, a TOML file: packages, etc, users, groups, directories, units, environment, boot",
)


def _access(parsed: Parsed, context: Context) -> SystemAccess:
    from denizen.app.system.system_access import system_at

    target, root = parsed.text("target"), parsed.text("root")
    return system_at(context.session, target, root)


def _build(parsed: Parsed, context: Context) -> int:
    from denizen.app.system.system_switch import built
    from denizen.cli.commands.install import request_from

    access = _access(parsed, context)
    tree = built(access, parsed.required("SPEC"), request_from(parsed, "system build"))
    context.show(lambda: {"tree": os.fsdecode(tree)}, (display(tree),))
    return 0


def _switch(parsed: Parsed, context: Context) -> int:
    return _activate(parsed, context, as_default=True)


def _test(parsed: Parsed, context: Context) -> int:
    return _activate(parsed, context, as_default=False)


def _activate(parsed: Parsed, context: Context, *, as_default: bool) -> int:
    from denizen.app.system.system_switch import switched
    from denizen.cli.commands.install import request_from

    request = request_from(parsed, "system switch")
    access = _access(parsed, context)
    return _show(context, switched(access, parsed.required("SPEC"), request, as_default=as_default))


def _dry_run(parsed: Parsed, context: Context) -> int:
    from denizen.app.system.system_switch import planned
    from denizen.cli.commands.install import request_from

    request = request_from(parsed, "system dry-run")
    return _show(context, planned(_access(parsed, context), parsed.required("SPEC"), request))


def _rollback(parsed: Parsed, context: Context) -> int:
    from denizen.app.system.system_switch import rolled_back_to

    text = parsed.text("N")
    number = None if text is None else parse_generation("system rollback", text, "denizen system list")
    return _show(context, rolled_back_to(_access(parsed, context), number))


def _show(context: Context, change: SystemChange) -> int:
    from denizen.cli.views.system_view import change_document, change_lines

    context.show(lambda: change_document(change), change_lines(change))
    for note in () if context.json else change.plan.notes:
        context.output.say(f"denizen: {note}")
    return 0


def _list(parsed: Parsed, context: Context) -> int:
    from denizen.app.system.system_generations import listed
    from denizen.cli.views.system_view import list_document, list_lines

    rows = listed(_access(parsed, context))
    none = "there is no generation yet; denizen system switch SPEC.toml makes one"
    context.show(lambda: list_document(rows), list_lines(rows), none)
    return 0


def _delete(parsed: Parsed, context: Context) -> int:
    from denizen.app.system.system_generations import deleted_generations
    from denizen.cli.views.profile_view import deleted_line

    numbers = deleted_generations(_access(parsed, context), parsed.texts("WHICH"))
    context.show(lambda: {"deleted": numbers}, (deleted_line(numbers),))
    return 0


_OPTIONS = (_TARGET, *FETCH_OPTIONS)

COMMANDS = (
    Command(
        ("system", "build"),
        "make the generation that a description asks for, and activate nothing",
        _build,
        (_SPEC,),
        _OPTIONS,
    ),
    Command(
        ("system", "switch"),
        "activate a description, and make it what boots",
        _switch,
        (_SPEC,),
        _OPTIONS,
        description=(
            "Build the generation of a description, give the machine its accounts, directories, files of\n"
            "/etc and units, and make it the boot loader's default. The files of /etc change together, by\n"
            "one rename; files that were there are put aside, and come back when the description has them\n"
            "no more. Where a step fails, the generation that was active is activated again."
        ),
    ),
    Command(
        ("system", "test"),
        "activate a description; the machine boots as before",
        _test,
        (_SPEC,),
        _OPTIONS,
    ),
    Command(
        ("system", "dry-run"),
        "the steps that switch would take",
        _dry_run,
        (_SPEC,),
        _OPTIONS,
    ),
    Command(
        ("system", "rollback"),
        "activate the generation before, or N, and make it what boots",
        _rollback,
        (Positional("N", "the generation's number", optional=True),),
        (_TARGET,),
    ),
    Command(("system", "list"), "the generations: which boots, which is active", _list, options=(_TARGET,)),
    Command(
        ("system", "delete-generations"),
        "delete generations with their boot entries",
        _delete,
        (Positional("WHICH", "old: all but the current; numbers; 30d: those not in force since", many=True),),
        (_TARGET,),
    ),
)
