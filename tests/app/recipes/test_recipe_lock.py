"""The packages that a recipe is locked to."""

from pathlib import Path

from denizen.app.recipes.recipe_lock import lock_packages, locked_packages
from denizen.fhs.generations import Settings

SETTINGS = Settings(("gcc",), ("trixie",), ("amd64",))


def test_a_lock_holds_for_the_settings_that_it_was_made_for(tmp_path: Path) -> None:
    recipe = str(tmp_path / "recipe.toml")
    assert locked_packages(recipe, SETTINGS) is None
    lock_packages(recipe, SETTINGS, ())
    assert locked_packages(recipe, SETTINGS) == ()
    assert locked_packages(recipe, Settings(("cmake", "gcc"), ("trixie",), ("amd64",))) is None


def test_sections_of_other_tables_are_kept(tmp_path: Path) -> None:
    other = "# for the table [fhs] of denizen.toml with the digest " + "0" * 64 + "\nx\n"
    (tmp_path / "denizen.lock").write_text(other)
    lock_packages(str(tmp_path / "recipe.toml"), SETTINGS, ())
    assert other in (tmp_path / "denizen.lock").read_text()
