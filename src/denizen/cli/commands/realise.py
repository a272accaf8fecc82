"""`denizen realise`."""

from __future__ import annotations

import os

from denizen.cli.build_options import BUILD_OPTIONS, given_numbers, realise_request
from denizen.cli.command import Command
from denizen.cli.options import Option, Positional

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from denizen.cli.command import Context
    from denizen.cli.options import Parsed


def _realise(parsed: Parsed, context: Context) -> int:
    """Make the outputs valid, and print their paths."""
    from denizen.app.builds.made_already import made_already

    given_numbers(parsed, "realise")  # a wrong one is refused where all is made already, too
    quick = not (parsed.flag("check") or parsed.text("add-root"))
    made = made_already(context.session, parsed.texts("FILE")) if quick else None
    show_made(_made(parsed, context) if made is None else made, context)
    return 0


def _made(parsed: Parsed, context: Context) -> Mapping[str, Mapping[str, bytes]]:
    from denizen.app.builds.realise_files import realise_files

    link = parsed.text("add-root") or ""
    return realise_files(
        context.session, realise_request(parsed, context, "realise", parsed.texts("FILE"), link)
    )


def show_made(made: Mapping[str, Mapping[str, bytes]], context: Context) -> None:
    """Print where outputs are, by derivation and name of the output; `out` comes first."""
    if context.json:
        context.output.document(
            {
                drv: {name: os.fsdecode(place) for name, place in outputs.items()}
                for drv, outputs in made.items()
            }
        )
        return
    for outputs in made.values():
        for _, place in sorted(outputs.items(), key=lambda one: one[0] != "out"):
            context.output.line(os.fsdecode(place))


COMMANDS = (
    Command(
        ("realise",),
        "make the outputs of derivations valid, and print where they are",
        _realise,
        positionals=(Positional("FILE", "a derivation's file, in the store or elsewhere", many=True),),
        options=(
            Option(
                ("--add-root",),
                "keep the outputs by this link to 'out'; LINK-NAME is that to another, LINK-2 the second's",
                metavar="LINK",
            ),
            *BUILD_OPTIONS,
        ),
        description="What an output needs is made first; what is there already is not made again.\n\n"
        "Builders run in a sandbox: they see their inputs, a directory to build in, and nothing else of\n"
        "this machine; those that fetch what has a known hash see the network too. denizen log prints what\n"
        "they said.",
    ),
)
