"""The search for a project's file, denizen.toml or recipe.toml: in a directory and above, up to the root.

A file that was found, not named, must be the user's own or root's (trust.check_found): it says what is run.
"""

from __future__ import annotations

import os

from denizen.errors import DenizenError, display
from denizen.fhs.project_environment import FILE, LOCK
from denizen.trust import check_found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class NoProject(DenizenError):
    """The error that neither this directory nor one above has a denizen.toml."""

    directory: str
    WHAT = "there is no denizen.toml in {directory} or above it"

    @property
    def remedy(self) -> str:
        from denizen.fhs.project_environment import EXAMPLE

        return f"write one such as this; packages alone will do:\n{EXAMPLE}"


def project_file(start: str) -> str:
    """Return the path of the denizen.toml in a directory or above it.

    Raises:
        NoProject: there is none.
        Untrusted: another user wrote it, or the lock beside it.
    """
    for directory in _upwards(start):
        if os.path.isfile(path := os.path.join(directory, FILE)):
            return trusted_project(path, "--file")
    raise NoProject(start)


def development_file(start: str) -> str:
    """Return the file that says what a directory's project is compiled with: its own, or one above it.

    That is a recipe.toml, or a denizen.toml with a table [develop].

    Raises:
        NothingDeclared: there is none.
        NoRecipe, BadDevelopTable: a denizen.toml cannot be used.
        Untrusted: another user wrote the file, or the lock beside it.
    """
    from denizen.app.recipes import recipe_files
    from denizen.recipes.project_develop import parse_develop
    from denizen.recipes.recipe import FILE as RECIPE

    for directory in _upwards(os.path.realpath(start)):
        if os.path.isfile(path := os.path.join(directory, RECIPE)):
            return trusted_project(path, "--recipe")
        path = os.path.join(directory, FILE)
        if os.path.isfile(path) and parse_develop(recipe_files.recipe_content(path), path) is not None:
            return trusted_project(path, "--recipe")
    raise recipe_files.NothingDeclared(start)


def _upwards(directory: str) -> Iterator[str]:
    """Yield a directory and those above it, up to the root."""
    yield directory
    while directory != (directory := os.path.dirname(directory)):
        yield directory


def trusted_project(path: str, option: str) -> str:
    """Return the path of a project's file; `option` is the one by which a user names a file of another's.

    Raises:
        Untrusted: another user wrote the file, or the lock beside it.
    """
    for one in (path, os.path.join(os.path.dirname(path), LOCK)):
        check_found(os.fsencode(one), f"if you trust who wrote it: {option} {display(path)}")
    return path
