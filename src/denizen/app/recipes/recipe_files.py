"""Files of recipes, with the recipes that they are built with."""

from __future__ import annotations

import os

from denizen.app.recipes.recipe_lock import locked_findings
from denizen.disk import open_regular
from denizen.errors import BadInput, DenizenError
from denizen.fhs import project_environment
from denizen.formats.toml_file import MAX_SIZE
from denizen.recipes.findings_table import with_findings
from denizen.recipes.project_develop import EXAMPLE, parse_develop
from denizen.recipes.recipe import FILE, parse_recipe
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from denizen.recipes.recipe import Recipe


class NoRecipe(DenizenError):
    """The error that a recipe's file cannot be read."""

    path: str
    reason: str
    WHAT = "the recipe {path} cannot be read"
    WHY = "{reason:text}"


class NothingDeclared(DenizenError):
    """The error that nothing says what a directory's project is compiled with."""

    directory: str
    WHAT = "nothing says what is compiled with what in {directory}"
    WHY = "there is no recipe.toml, and no denizen.toml with a table [develop], there or above"

    @property
    def remedy(self) -> str:
        return f"write a {project_environment.FILE} such as this:\n{EXAMPLE}"


class FileOutside(BadInput):
    """The error that a recipe names a file which is not below its own directory.

    Attributes:
        path: the recipe's file.
        name: what the recipe says.
        place: the file or directory that it leads to.
    """

    path: str
    name: str
    place: str
    WHAT = "{path} takes {name}, which is not below its directory"
    WHY = (
        "{place} would be copied with your rights into the store, where others can read it: "
        "a recipe from elsewhere could name any file of yours"
    )
    REMEDY = "move it below the recipe's directory; or, if it is meant, --allow-path {place}"


class RecipeCircle(BadInput):
    """The error that a recipe is built with itself."""

    path: str
    WHAT = "{path} is built with itself"
    WHY = "its [inputs] lead back to it"


class RecipeFile(Value):
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


def named_recipe(name: str) -> str | None:
    """Return the path of the recipe's file that `name` means; None where there is no such file."""
    path = recipe_path(name)
    return path if path.endswith(".toml") and os.path.isfile(path) else None


def refuse_outside(files: Iterable[RecipeFile], allowed: Iterable[str] = ()) -> None:
    """Raise FileOutside if a recipe takes a file or directory that is not below its own directory.

    Those below the paths `allowed` may be taken. Links count by where they lead, but for the last one, which
    is stored as a link.
    """
    others = [os.path.realpath(path) for path in allowed]
    for one in files:
        own = os.path.realpath(os.path.dirname(one.path))
        tops = [own, *others]
        for name in one.recipe.files:
            path = os.path.normpath(os.path.join(own, name))
            place = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
            if not any(os.path.commonpath((place, top)) == top for top in tops):
                raise FileOutside(one.path, name, place)


def _collect(path: str, done: dict[str, RecipeFile], above: tuple[str, ...]) -> None:
    if path in above:
        raise RecipeCircle(path)
    if path in done:
        return
    one = RecipeFile(path, _parsed(path))
    for name in one.recipe.recipes:
        _collect(recipe_path(one.relative(name)), done, (*above, path))
    done[path] = one


def _parsed(path: str) -> Recipe:
    if os.path.basename(path) != project_environment.FILE:
        recipe = parse_recipe(recipe_content(path), path)
        return with_findings(recipe, locked_findings(path, recipe.name))
    declared = parse_develop(recipe_content(path), path)
    if declared is None:
        raise NothingDeclared(os.path.dirname(path))
    return declared


def recipe_content(path: str) -> bytes:
    """Return the content of a recipe's or project's file, cut behind MAX_SIZE + 1 bytes. Raises NoRecipe."""
    try:
        with open(path, "rb", opener=open_regular) as stream:
            return stream.read(MAX_SIZE + 1)
    except OSError as error:
        raise NoRecipe(path, error.strerror or str(error)) from error
