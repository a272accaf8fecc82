"""The table [develop] of a denizen.toml."""

import pytest

from denizen.recipes.project_develop import EXAMPLE, BadDevelopTable, parse_develop
from denizen.recipes.recipe import Recipe

PATH = "/home/me/project/denizen.toml"


def test_a_table_declares_what_a_recipe_would() -> None:
    text = b"""[fhs]
packages = ["python3"]
[develop]
packages = ["libssl-dev"]
recipes = ["../libfoo"]
kind = "cmake"
suite = "trixie"
[develop.env]
NAME = "text"
"""
    assert parse_develop(text, PATH) == Recipe(
        "project",
        "0",
        "cmake",
        "trixie",
        packages=("libssl-dev",),
        recipes=("../libfoo",),
        environment=(("NAME", "text"),),
    )


def test_a_file_without_the_table_declares_nothing() -> None:
    assert parse_develop(b'[fhs]\npackages = ["gcc"]\n', PATH) is None


def test_the_example_of_the_error_is_usable() -> None:
    declared = parse_develop(EXAMPLE.encode(), PATH)
    assert declared is not None
    assert declared.packages == ("cargo", "libssl-dev")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"develop = 3", "no table"),
        (b"[develop]\nphases = {}", "there is no key 'phases'"),
        (b'[develop]\npackages = "gcc"', "packages in [inputs] is a list of texts"),
        (b'[develop]\nkind = "scons"', "kind is one of"),
        (b'[develop.env]\nPATH = "x"', "PATH cannot be set"),
        (b"[develop", "Expected"),
    ],
)
def test_what_is_wrong_is_told(text: bytes, said: str) -> None:
    with pytest.raises(BadDevelopTable) as caught:
        parse_develop(text, PATH)
    assert said in caught.value.why
