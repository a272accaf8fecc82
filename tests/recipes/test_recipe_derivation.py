"""The derivation that a recipe becomes."""

from denizen.build.builtin_derivations import Ingredient
from denizen.build.derivation import seal
from denizen.formats import storepath
from denizen.formats.aterm import Derivation
from denizen.recipes.recipe import Recipe, parse_recipe
from denizen.recipes.recipe_derivation import RecipeInputs, derivation_of, packages_of, unfit_character

STORE = b"/nix/store"
TREE, BUILDER, LIBRARY, SOURCE, OTHER, DRV = (
    storepath.from_base(f"{letter * 32}-{name}")
    for letter, name in zip(
        "abcdfg", ("fhs", "builder", "library", "source", "other", "other.drv"), strict=True
    )
)


def derived(recipe: Recipe) -> Derivation:
    inputs = RecipeInputs(TREE, BUILDER, LIBRARY, (Ingredient(SOURCE),), (), (), (Ingredient(OTHER, DRV),))
    return derivation_of(recipe, inputs, b"x86_64-linux", STORE)


def test_a_store_whose_name_ends_at_a_space_for_others_is_known() -> None:
    assert unfit_character(b"/home/o'brien/my store") == b"'"
    assert unfit_character(b"/home/jane doe") == b" "
    assert unfit_character(b"/nix/store") == unfit_character(b"/tmp/a.b-c_d+e@f~1/\xc3\xa9") == b""


def test_inputs_are_dependencies_and_compilers_and_sources_may_not_be_mentioned() -> None:
    found = derived(Recipe("a", "1"))
    assert found.inputs == {DRV.inside(STORE): (b"out",)}
    assert set(found.sources) == {one.inside(STORE) for one in (TREE, BUILDER, LIBRARY, SOURCE)}
    assert found.environment[b"disallowedReferences"].split() == [TREE.inside(STORE), SOURCE.inside(STORE)]
    assert set(found.outputs) == {b"out", b"debug"}


def test_phases_hooks_and_flags_become_variables_by_stdenvs_names() -> None:
    text = b"""name = "a"
version = "1"
[phases]
build = "b"
[hooks]
pre-build = "p"
post-install = "q"
[flags]
configure = ["--one", "--two words"]
"""
    variables = derived(parse_recipe(text, "recipe.toml")).environment
    assert (variables[b"buildPhase"], variables[b"preBuild"], variables[b"postInstall"]) == (b"b", b"p", b"q")
    assert variables[b"configureFlags"] == b"--one\n--two words"
    assert variables[b"doCheck"] == b"1"
    assert variables[b"phases"] == b"unpack patch configure build check install fixup"


def test_outputs_follow_from_the_recipe() -> None:
    one, other = (
        seal(
            derived(Recipe("a", "1", environment=(("CFLAGS", flag),))),
            "a-1",
            {DRV: {b"out": b"0" * 64}},
            STORE,
        )
        for flag in ("-O1", "-O2")
    )
    assert one.outputs[b"out"] != other.outputs[b"out"]


def test_the_packages_of_a_kind_and_of_the_recipe_come_together() -> None:
    found = packages_of(Recipe("a", "1", "cmake", packages=("zlib1g-dev",)))
    assert {"cmake", "zlib1g-dev", "gcc", "python3"} <= set(found)
    assert list(found) == sorted(found)
