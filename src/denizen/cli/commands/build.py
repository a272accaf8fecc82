"""`denizen build`."""

from __future__ import annotations

from denizen.cli.command import Command
from denizen.cli.commands.index import FETCH_OPTIONS, fetch_policy
from denizen.cli.commands.realise import BUILD_OPTIONS, realise_request, show_made
from denizen.cli.options import Option, Positional, UsageError
from denizen.recipes.build_kinds import PHASES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed


def _build(parsed: Parsed, context: Context) -> int:
    """Build the recipe, and print where its outputs are."""
    from denizen.app.recipes.build_recipe import BuildRecipeRequest, build_recipe

    request = BuildRecipeRequest(
        parsed.text("RECIPE") or ".",
        fetch_policy(parsed, "build"),
        realise_request(parsed, context, "build", ()),
        parsed.flag("update"),
    )
    phase = parsed.text("shell")
    if phase is not None:
        from denizen.app.recipes.develop import DevelopRequest, develop

        if phase not in PHASES:
            raise UsageError("build", f"{phase!r} is no phase", f"one of {', '.join(PHASES)}")
        return develop(context.session, DevelopRequest(request, phase))
    show_made(build_recipe(context.session, request), context)
    return 0


COMMANDS = (
    Command(
        ("build",),
        "build a recipe, and print where its outputs are",
        _build,
        positionals=(
            Positional(
                "RECIPE", "a recipe's file, or the directory of a recipe.toml; else here", optional=True
            ),
        ),
        options=(
            Option(("--shell",), "run the phases ahead of this one, then a shell", metavar="PHASE"),
            Option(("--update",), "take the newest Debian packages, and write denizen.lock anew"),
            *BUILD_OPTIONS,
            *FETCH_OPTIONS,
        ),
        description="A recipe.toml names sources, inputs and, where they differ from those of its kind, the\n"
        "commands of phases: unpack, patch, configure, build, check, install, fixup. The compiler and all\n"
        "other tools come from Debian packages, which the sandbox shows as its /usr.",
    ),
)
