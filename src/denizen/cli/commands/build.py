"""`denizen build`."""

from __future__ import annotations

from denizen.cli.build_options import ALLOW_PATH, BUILD_OPTIONS, realise_request
from denizen.cli.command import Command
from denizen.cli.commands.realise import show_made
from denizen.cli.fetch_options import FETCH_OPTIONS, fetch_policy
from denizen.cli.options import Option, Positional, UsageError
from denizen.recipes.phases import PHASES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed


def _build(parsed: Parsed, context: Context) -> int:
    """Build the recipe, and print where its outputs are."""
    from denizen.app.builds.out_links import RESULT
    from denizen.app.recipes.build_recipe import BuildRecipeRequest, build_recipe

    link = parsed.text("out-link")
    if link is not None and (parsed.flag("no-out-link") or not link):
        raise UsageError("build", "--out-link names a link, or --no-out-link makes none", "--out-link result")
    request = BuildRecipeRequest(
        parsed.text("RECIPE") or ".",
        fetch_policy(parsed, "build"),
        realise_request(parsed, context, "build"),
        parsed.flag("update"),
        "" if parsed.flag("no-out-link") else link or RESULT,
        parsed.texts("allow-path"),
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
            Option(("-o", "--out-link"), "the link to what was built, else ./result", metavar="LINK"),
            Option(("--no-out-link",), "make no link; the next gc may delete what was built"),
            Option(("--update",), "take the newest Debian packages, and write denizen.lock anew"),
            ALLOW_PATH,
            *BUILD_OPTIONS,
            *FETCH_OPTIONS,
        ),
        description="A recipe.toml names sources, inputs and, where they differ from those of its kind, the\n"
        f"commands of phases: {', '.join(PHASES)}. The compiler and all\n"
        "other tools come from Debian packages, which the sandbox shows as its /usr.\n\n"
        "The link ./result leads to what was built, and keeps it; ./result-debug to what debuggers read.",
    ),
)
