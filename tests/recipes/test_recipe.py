"""recipe.toml: what is read, and what is refused."""

import hashlib

import pytest

from denizen.formats.hashes import Hash
from denizen.recipes.recipe import EXAMPLE, BadRecipe, Recipe, RecipeSource, parse_recipe

DIGEST = hashlib.sha256(b"x")
FULL = f"""
name = "hello"
version = "2.10"
kind = "autotools"
suite = "trixie"
patches = ["fix.patch"]
check = false

[[sources]]
archive = "pool/main/h/hello/hello_2.10.orig.tar.gz"
sha256 = "{DIGEST.hexdigest()}"

[[sources]]
url = ["https://a.example/x.tar", "https://b.example/x.tar"]
sha256 = "{DIGEST.hexdigest()}"

[[sources]]
path = "."

[inputs]
packages = ["zlib1g-dev", "zlib1g-dev"]
recipes = ["../libfoo"]
paths = ["./data"]

[phases]
install = "make install-bin"

[hooks]
post-install = "true"

[flags]
configure = ["--disable-nls", "--with a b"]

[env]
CFLAGS = "-O1"
""".encode()


def test_all_keys_are_read() -> None:
    content = Hash("sha256", DIGEST.digest())
    assert parse_recipe(FULL, "recipe.toml") == Recipe(
        "hello",
        "2.10",
        "autotools",
        "trixie",
        check=False,
        sources=(
            RecipeSource(archive="pool/main/h/hello/hello_2.10.orig.tar.gz", content=content),
            RecipeSource(("https://a.example/x.tar", "https://b.example/x.tar"), content=content),
            RecipeSource(path="."),
        ),
        patches=("fix.patch",),
        packages=("zlib1g-dev",),
        recipes=("../libfoo",),
        paths=("./data",),
        phases=(("install", "make install-bin"),),
        hooks=(("post-install", "true"),),
        flags=(("configure", ("--disable-nls", "--with a b")),),
        environment=(("CFLAGS", "-O1"),),
    )


def test_the_example_of_the_error_is_a_recipe() -> None:
    assert parse_recipe(EXAMPLE.encode(), "recipe.toml").full_name == "hello-1.0"


def test_everything_that_is_wrong_is_told_at_once() -> None:
    text = (
        b'name = "a/b"\nversion = "1"\nkind = "scons"\n[phases]\ncompile = ""\n[inputs]\npackages = "gcc"\n'
    )
    with pytest.raises(BadRecipe) as caught:
        parse_recipe(text, "/x/recipe.toml")
    assert len(caught.value.problems) == 4
    assert "'compile' in [phases]" in caught.value.why
    assert "packages in [inputs] is a list of texts" in caught.value.why


@pytest.mark.parametrize(
    "source",
    [
        b'url = "https://a.example/x"',
        b'url = "https://a.example/x"\nsha256 = "abc"',
        b'archive = "pool/x"\npath = "."',
        b'path = "."\nsha256 = "%s"' % DIGEST.hexdigest().encode(),
        b'sha256 = "%s"' % DIGEST.hexdigest().encode(),
        b"url = 3",
    ],
)
def test_a_source_has_one_place_and_the_hash_of_what_is_fetched(source: bytes) -> None:
    with pytest.raises(BadRecipe):
        parse_recipe(b'name = "a"\nversion = "1"\n[[sources]]\n' + source, "recipe.toml")


@pytest.mark.parametrize("name", ["a/libb.so", "two names", ""])
def test_what_is_opened_is_a_name(name: str) -> None:
    with pytest.raises(BadRecipe):
        parse_recipe(f'name = "a"\nversion = "1"\nopened = ["{name}"]\n'.encode(), "recipe.toml")


@pytest.mark.parametrize("name", ["out", "NIX_STORE", "__denizenRoot", "a-b", "disallowedReferences"])
def test_variables_of_the_builder_cannot_be_set(name: str) -> None:
    with pytest.raises(BadRecipe) as caught:
        parse_recipe(f'name = "a"\nversion = "1"\n[env]\n{name} = "x"\n'.encode(), "recipe.toml")
    assert f"{name} cannot be set" in caught.value.why


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('nam = "a"', "there is no key 'nam'; is name meant?"),
        ('colour = "red"', "there is no key 'colour'; there are name, version,"),
        ('kind = "CMake"', "cargo; is cmake meant?"),
        ('[phases]\nbuidl = "x"', "there is no key 'buidl' in [phases]; is build meant?"),
        ('[hooks]\nprebuild = "x"', "is pre-build meant?"),
        ('[[sources]]\nurls = "x"', "in source 1; is url meant?"),
    ],
)
def test_what_was_meant_perhaps_is_said(line: str, said: str) -> None:
    with pytest.raises(BadRecipe) as caught:
        parse_recipe(f"{line}\n".encode(), "recipe.toml")
    assert said in caught.value.why
