"""Recipes that are built with others."""

from pathlib import Path

import pytest

from denizen.app.recipes.recipe_files import NoRecipe, RecipeCircle, recipe_files


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
