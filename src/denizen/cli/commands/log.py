"""`denizen log`."""

from __future__ import annotations

from denizen.cli.command import Command
from denizen.cli.options import Positional

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed


def _log(parsed: Parsed, context: Context) -> int:
    """Print what a builder said."""
    from denizen.app.builds.build_logs import build_log

    for piece in build_log(context.session, parsed.required("PATH")):
        context.output.raw(piece)
    return 0


COMMANDS = (
    Command(
        ("log",),
        "print what the builder of a derivation said",
        _log,
        positionals=(Positional("PATH", "a derivation, or an object that it made"),),
        description="The log of the last build is kept, also of one that failed.",
    ),
)
