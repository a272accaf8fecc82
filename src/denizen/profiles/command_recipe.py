"""The recipe of an installed thing's commands, from which a lost decision is made again (pure).

It is JSON in the object of the commands, and a part of the plan of a package (package_plan.py, which reads
it).
"""

from __future__ import annotations

from denizen.formats.compact_json import compact_json
from denizen.profiles.profile_manifest import pin_row
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.resolve.resolution import Pin

FORMAT = 1


class CommandRecipe(Value):
    """The packages from which the decisions about commands are made.

    Attributes:
        suites: the suites to take libraries from.
        packages: the hashes of the packages and of what they depend on; commands with other libraries are
            another object, so that a rollback gets the former ones.
        environment: all packages of an environment around the commands; () where libraries suffice.
        inside: the commands that need the environment.
    """

    suites: tuple[str, ...]
    packages: tuple[str, ...] = ()
    environment: tuple[Pin, ...] = ()
    inside: tuple[str, ...] = ()


def write_recipe(recipe: CommandRecipe) -> bytes:
    """Return the recipe as a file's bytes."""
    return compact_json({"format": FORMAT, **recipe_row(recipe)}).encode()


def recipe_row(recipe: CommandRecipe) -> dict[str, object]:
    """Return the recipe as fields of JSON."""
    return {
        "suites": list(recipe.suites),
        "packages": list(recipe.packages),
        "environment": [pin_row(pin) for pin in recipe.environment],
        "inside": list(recipe.inside),
    }
