"""`denizen profile`: the generations of a profile."""

from __future__ import annotations

from denizen.cli.arguments import parse_generation
from denizen.cli.command import Command
from denizen.cli.commands.install import PROFILE_OPTIONS, profile_from
from denizen.cli.options import Positional
from denizen.errors import display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed


def _list(_: Parsed, context: Context) -> int:
    from denizen.app.profiles.profile_access import profile_names

    found = profile_names(context.session)
    rows = [
        (display(one.name), one.required(), len(one.manifest().elements), display(one.place)) for one in found
    ]
    keys = ("name", "generation", "elements", "path")
    context.show(
        lambda: [dict(zip(keys, row, strict=True)) for row in rows],
        (f"{name}  generation {number}, {count} installed  {place}" for name, number, count, place in rows),
        "there are no profiles yet; denizen install NAME makes one",
    )
    return 0


def _history(parsed: Parsed, context: Context) -> int:
    from denizen.app.profiles.profile_generations import history
    from denizen.cli.views.profile_view import history_document, history_lines

    steps = history(profile_from(parsed, context))
    context.show(lambda: history_document(steps), history_lines(steps))
    return 0


def _diff(parsed: Parsed, context: Context) -> int:
    from denizen.app.profiles.profile_generations import NoEarlierGeneration
    from denizen.cli.views.profile_view import difference_document, difference_line
    from denizen.profiles.manifest_changes import difference

    profile = profile_from(parsed, context)
    given = [
        _number(text, "profile diff") for text in (parsed.text("A"), parsed.text("B")) if text is not None
    ]
    new = given[1] if len(given) > 1 else profile.required()
    earlier = [one for one in profile.numbers() if one < new]
    if not given and not earlier:
        raise NoEarlierGeneration(new)
    old = given[0] if given else earlier[-1]
    found = difference(profile.manifest(old), profile.manifest(new))
    if context.json:
        changes = [difference_document(one) for one in found]
        context.output.document({"before": old, "after": new, "changes": changes})
        return 0
    for one in found:
        context.output.line(difference_line(one))
    if not found:
        context.output.say(f"generations {old} and {new} have the same")
    return 0


def _rollback(parsed: Parsed, context: Context) -> int:
    from denizen.app.profiles.profile_generations import rolled_back

    text = parsed.text("N")
    number = _number(text, "profile rollback") if text is not None else None
    return _now(context, rolled_back(profile_from(parsed, context), number))


def _switch(parsed: Parsed, context: Context) -> int:
    from denizen.app.profiles.profile_generations import switched

    number = _number(parsed.required("N"), "profile switch")
    switched(profile_from(parsed, context), number)
    return _now(context, number)


def _now(context: Context, number: int) -> int:
    if context.json:
        context.output.document({"generation": number})
    else:
        context.output.line(f"generation {number}")
    return 0


def _delete(parsed: Parsed, context: Context) -> int:
    from denizen.app.profiles.profile_generations import deleted
    from denizen.cli.views.profile_view import deleted_line

    numbers = deleted(context.session, profile_from(parsed, context), parsed.texts("WHICH"))
    context.show(lambda: {"deleted": numbers}, (deleted_line(numbers),))
    return 0


def _wipe(parsed: Parsed, context: Context) -> int:
    from denizen.app.profiles.profile_generations import wiped

    profile = profile_from(parsed, context)
    count = wiped(context.session, profile)
    if context.json:
        context.output.document({"deleted": count})
    else:
        words = "its generation" if count == 1 else f"its {count} generations"
        context.output.line(f"{display(profile.place)} is no more, with {words}; denizen gc frees the rest")
    return 0


def _number(text: str, command: str) -> int:
    return parse_generation(command, text, "denizen profile history")


_N = Positional("N", "the generation's number")

COMMANDS = (
    Command(("profile", "list"), "which profiles there are", _list, options=PROFILE_OPTIONS[1:]),
    Command(
        ("profile", "history"), "the generations, and what each changed", _history, options=PROFILE_OPTIONS
    ),
    Command(
        ("profile", "diff"),
        "what differs between two generations",
        _diff,
        (
            Positional("A", "the older one; the one before the current if not given", optional=True),
            Positional("B", "the newer one; the current one if not given", optional=True),
        ),
        PROFILE_OPTIONS,
    ),
    Command(
        ("profile", "rollback"),
        "go back to the generation before, or to N",
        _rollback,
        (Positional("N", "the generation's number", optional=True),),
        PROFILE_OPTIONS,
    ),
    Command(("profile", "switch"), "make a generation the current one", _switch, (_N,), PROFILE_OPTIONS),
    Command(
        ("profile", "delete-generations"),
        "delete generations; the current one stays",
        _delete,
        (Positional("WHICH", "old: all but the current; numbers; 30d: those not in force since", many=True),),
        PROFILE_OPTIONS,
    ),
    Command(
        ("profile", "wipe"),
        "delete a profile with all its generations",
        _wipe,
        options=PROFILE_OPTIONS,
    ),
)
