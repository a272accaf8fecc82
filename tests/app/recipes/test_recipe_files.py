"""Recipes that are built with others."""

from pathlib import Path

import pytest

from denizen.app.recipes.recipe_files import (
    FileOutside,
    NoRecipe,
    RecipeCircle,
    RecipeFile,
    recipe_files,
    refuse_outside,
)
from denizen.errors import shell_word
from denizen.recipes.recipe import Recipe, RecipeSource


def write(directory: Path, *others: str) -> None:
    directory.mkdir()
    names = ", ".join(f'"../{other}"' for other in others)
    text = f'name = "{directory.name}"\nversion = "1"\n[inputs]\nrecipes = [{names}]\n'
    (directory / "recipe.toml").write_text(text)


def test_inputs_come_first_and_each_once(tmp_path: Path) -> None:
    write(tmp_path / "a", "b", "c")
    write(tmp_path / "b", "c")
    write(tmp_path / "c")
    assert [one.recipe.name for one in recipe_files(str(tmp_path / "a"))] == ["c", "b", "a"]
    assert [one.recipe.name for one in recipe_files(str(tmp_path / "c" / "recipe.toml"))] == ["c"]


def test_a_circle_is_told(tmp_path: Path) -> None:
    write(tmp_path / "a", "b")
    write(tmp_path / "b", "a")
    with pytest.raises(RecipeCircle):
        recipe_files(str(tmp_path / "a"))


def test_a_recipe_that_is_not_there_is_told_by_its_path(tmp_path: Path) -> None:
    write(tmp_path / "a", "gone")
    with pytest.raises(NoRecipe) as caught:
        recipe_files(str(tmp_path / "a"))
    assert "gone" in caught.value.what


def taking(directory: Path, name: str) -> list[list[RecipeFile]]:
    """Recipes that take a file as a source, as a patch and as a path."""
    directory.mkdir(exist_ok=True)
    file = str(directory / "recipe.toml")
    recipes = [
        Recipe("a", "1", sources=(RecipeSource(path=name),)),
        Recipe("a", "1", patches=(name,)),
        Recipe("a", "1", paths=(name,)),
    ]
    return [[RecipeFile(file, recipe)] for recipe in recipes]


@pytest.mark.parametrize("name", ["/etc/shadow", "../secret", "a/../../secret", "out/secret", ".."])
def test_a_recipe_takes_nothing_from_outside_of_its_directory(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text("x")
    (tmp_path / "recipe").mkdir()
    (tmp_path / "recipe" / "out").symlink_to(tmp_path)
    for files in taking(tmp_path / "recipe", name):
        with pytest.raises(FileOutside) as caught:
            refuse_outside(files)
        assert caught.value.remedy.endswith(f"--allow-path {shell_word(caught.value.place)}")
        refuse_outside(files, ["/etc", str(tmp_path)])
        with pytest.raises(FileOutside):
            refuse_outside(files, [str(tmp_path / "sec")])


@pytest.mark.parametrize("name", [".", "src", "./a/../src", "src/.."])
def test_a_recipe_takes_what_is_in_its_directory(tmp_path: Path, name: str) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "recipe").symlink_to("real")  # a recipe may be reached by a link
    for files in taking(tmp_path / "recipe", name):
        refuse_outside(files)


def test_a_recipe_beside_another_has_its_own_directory(tmp_path: Path) -> None:
    write(tmp_path / "a", "b")
    write(tmp_path / "b")
    text = (tmp_path / "b" / "recipe.toml").read_text()
    (tmp_path / "b" / "recipe.toml").write_text(f'{text}paths = ["data"]\n')
    refuse_outside(recipe_files(str(tmp_path / "a")))
