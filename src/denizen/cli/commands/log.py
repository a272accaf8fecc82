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
    from denizen.app.builds.build_logs import build_log, recipe_log
    from denizen.app.recipes.recipe_files import named_recipe

    path = parsed.text("PATH")
    recipe = named_recipe(path or ".")
    log = recipe_log if recipe is not None or path is None else build_log
    for piece in log(context.session, recipe or path or "."):
        context.output.raw(piece)
    return 0


COMMANDS = (
    Command(
        ("log",),
        "print what the builder of a derivation said",
        _log,
        positionals=(
            Positional(
                "PATH",
                "a derivation, what it made, or a recipe; else the recipe here",
                optional=True,
            ),
        ),
        description="The log of the last build is kept, also of one that failed.",
        is_text=True,
    ),
)
