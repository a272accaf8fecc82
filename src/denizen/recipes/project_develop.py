"""The table [develop] of a `denizen.toml`: what a project is compiled with (pure).

[develop]
packages = ["cargo", "libssl-dev"]        # of Debian; gcc, make and their like are there always
recipes = ["../libfoo"]                   # other recipes: a file, or the directory of a recipe.toml
kind = "cmake"                            # brings the tools of that kind of recipe
suite = "trixie"                          # the sources' own base suite where it is left out

[develop.env]                             # further variables
RUST_BACKTRACE = "1"
"""

from __future__ import annotations

import posixpath

from denizen.formats.project_tables import DEVELOP, project_table
from denizen.formats.storepath import is_object_name
from denizen.formats.toml_file import BadTomlFile, unknown_keys
from denizen.recipes.recipe import recipe_of, recipe_problems

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from denizen.recipes.recipe import Recipe

EXAMPLE = """\
[develop]
packages = ["cargo", "libssl-dev"]
"""
_INPUTS = ("packages", "recipes")
_KEYS = (*_INPUTS, "kind", "suite", "env")


class BadDevelopTable(BadTomlFile):
    """The error that the table [develop] of a denizen.toml cannot be used, with all reasons."""

    WHAT = "the table [develop] of {path} is not usable"
    SUCH_AS = "a table such as this"
    EXAMPLE = EXAMPLE


def parse_develop(text: bytes, path: str) -> Recipe | None:
    """Return a recipe with the inputs that the project file at `path` declares, None if it declares none.

    Raises:
        BadDevelopTable: the file is malformed, or the table.
    """
    table = project_table(DEVELOP, text, path, BadDevelopTable)
    if table is None:
        return None
    document = _document(table, path)
    problems = (*unknown_keys(table, _KEYS), *recipe_problems(document))
    if problems:
        raise BadDevelopTable(path, problems)
    return recipe_of(document)


def _document(table: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return the table as a recipe has it."""
    base = posixpath.basename(posixpath.dirname(path))
    document = {key: table[key] for key in ("kind", "suite", "env") if key in table}
    document["inputs"] = {key: table[key] for key in _INPUTS if key in table}
    return {
        "name": base if is_object_name(base) and len(base) < 100 else "project",
        "version": "0",
        **document,
    }
