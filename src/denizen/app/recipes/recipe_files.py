"""Files of recipes, with the recipes that they are built with."""

from __future__ import annotations

import os

from denizen.errors import BadInput, DenizenError
from denizen.recipes.recipe import FILE, MAX_SIZE, parse_recipe
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.recipes.recipe import Recipe


class NoRecipe(DenizenError):
    """The error that a recipe's file cannot be read."""

    path: str
    reason: str
    WHAT = "the recipe {path} cannot be read"
    WHY = "{reason:text}"


class RecipeCircle(BadInput):
    """The error that a recipe is built with itself."""

    path: str
    WHAT = "{path} is built with itself"
    WHY = "its [inputs] lead back to it"


@value
class RecipeFile:
    """A recipe and its file's path."""

    path: str
    recipe: Recipe

    def relative(self, name: str) -> str:
        """Return the absolute path of a name that the recipe has."""
        return os.path.normpath(os.path.join(os.path.dirname(self.path), name))


def recipe_files(name: str) -> list[RecipeFile]:
    """Return a recipe and all that it is built with, inputs first; `name` is a file or its directory.

    Raises:
        NoRecipe: a file cannot be read.
        BadRecipe, RecipeCircle: a recipe cannot be used.
    """
    done: dict[str, RecipeFile] = {}
    _collect(recipe_path(name), done, ())
    return list(done.values())


def recipe_path(name: str) -> str:
    """Return the path of the recipe's file that `name` means: itself, or the file in that directory."""
    path = os.path.realpath(name)
    return os.path.join(path, FILE) if os.path.isdir(path) else path


def _collect(path: str, done: dict[str, RecipeFile], above: tuple[str, ...]) -> None:
    if path in above:
        raise RecipeCircle(path)
    if path in done:
        return
    one = RecipeFile(path, parse_recipe(_content(path), path))
    for name in one.recipe.recipes:
        _collect(recipe_path(one.relative(name)), done, (*above, path))
    done[path] = one


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read(MAX_SIZE + 1)
    except OSError as error:
        raise NoRecipe(path, error.strerror or str(error)) from error
