"""`denizen develop`."""

from __future__ import annotations

from denizen.cli.build_options import ALLOW_PATH, BUILD_OPTIONS, realise_request
from denizen.cli.command import Command
from denizen.cli.fetch_options import FETCH_OPTIONS, fetch_policy
from denizen.cli.options import Option, Positional, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed


def _develop(parsed: Parsed, context: Context) -> int:
    """Become the recipe's or project's shell, or a command in it; or print its variables."""
    from denizen.app.recipes.build_recipe import BuildRecipeRequest
    from denizen.app.recipes.develop import DevelopRequest, develop

    command = parsed.text("CMD")
    build = BuildRecipeRequest(
        parsed.text("recipe") or "",
        fetch_policy(parsed, "develop"),
        realise_request(parsed, context, "develop"),
        parsed.flag("update"),
        allowed=parsed.texts("allow-path"),
    )
    words = None if command is None else (command, *parsed.texts("ARG"))
    if not parsed.flag("print-env"):
        return develop(context.session, DevelopRequest(build, words=words))
    if command is not None:
        raise UsageError("develop", "--print-env takes no command", "denizen develop --print-env")
    if context.json:
        raise UsageError("develop", "--print-env is for bash, not for --json")
    from denizen.app.recipes.develop_direnv import develop_variables

    context.output.raw(
        develop_variables(context.session, DevelopRequest(build)).encode("utf-8", "surrogateescape")
    )
    return 0


COMMANDS = (
    Command(
        ("develop",),
        "a shell with a recipe's or project's compiler, tools and libraries",
        _develop,
        positionals=(
            Positional("CMD", "a command instead of a shell", optional=True),
            Positional("ARG", "its arguments", optional=True, rest=True),
        ),
        options=(
            Option(
                ("--recipe",),
                "a recipe's file or directory; else the recipe.toml, or the denizen.toml with a table "
                "[develop], here or above",
                metavar="PATH",
            ),
            Option(("--print-env",), "print variables for bash instead, as direnv's use denizen does"),
            Option(("--update",), "take the newest Debian packages, and write denizen.lock anew"),
            ALLOW_PATH,
            *BUILD_OPTIONS,
            *FETCH_OPTIONS,
        ),
        description="Other recipes that it is built with are built first. What gcc links there runs outside\n"
        "too: its linker writes the paths of libraries in the store. No LD_LIBRARY_PATH is set. The shell\n"
        "is no sandbox. run_phase NAME runs a phase.",
    ),
)
