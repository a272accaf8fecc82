"""The derivation of a recipe (pure)."""

from __future__ import annotations

from denizen.build.builtin_derivations import OUT
from denizen.formats.aterm import Derivation, DerivationOutput
from denizen.recipes.build_kinds import COMMON, KINDS
from denizen.recipes.phases import PHASES
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from denizen.build.builtin_derivations import Ingredient
    from denizen.formats.storepath import StorePath
    from denizen.recipes.recipe import Recipe

DEBUG = b"debug"
_SHELL = b"/bin/bash"
_BLANK = DerivationOutput(b"")
# What Automake refuses in the name of a directory (m4/sanity.m4), and what shells, make, first lines of
# scripts and search paths take for the end of a name or for a pattern.
_ENDS_A_NAME = b" \t\r\n\f\v\\\"#$&'`:;,*?[]{}()<>|%"


class RecipeInputs(Value):
    """The store objects that a recipe is built from.

    Attributes:
        tree: the tree of Debian packages that the sandbox has as its /usr.
        builder: the generic builder's text.
        library: the archive of the modules of the fixup phase.
        sources, patches, paths: of the recipe, in its order.
        recipes: outputs of other recipes, with those that these were built with.
    """

    tree: StorePath
    builder: StorePath
    library: StorePath
    sources: tuple[Ingredient, ...]
    patches: tuple[Ingredient, ...]
    paths: tuple[Ingredient, ...]
    recipes: tuple[Ingredient, ...]


def unfit_character(store_dir: bytes) -> bytes:
    """Return the first character of a store directory's name that build systems cannot handle, or b""."""
    return next((store_dir[at : at + 1] for at, byte in enumerate(store_dir) if byte in _ENDS_A_NAME), b"")


def packages_of(recipe: Recipe) -> tuple[str, ...]:
    """Return the Debian packages that a recipe is built with, sorted."""
    return tuple(sorted({*COMMON, *KINDS[recipe.kind], *recipe.packages}))


def derivation_of(recipe: Recipe, inputs: RecipeInputs, system: bytes, store_dir: bytes) -> Derivation:
    """Return the derivation of a recipe, to be sealed."""

    def full(some: Iterable[Ingredient]) -> bytes:
        return b" ".join([one.path.inside(store_dir) for one in some])

    tree = inputs.tree.inside(store_dir)
    variables = {
        **_texts(recipe),
        b"outputs": b"out debug",
        b"__denizenRoot": tree,
        b"fixupLibrary": inputs.library.inside(store_dir),
        b"sources": full(inputs.sources),
        b"patches": full(inputs.patches),
        b"inputPaths": full(inputs.paths),
        b"recipeInputs": full(inputs.recipes),
        # Neither compilers nor sources are needed to run what was built.
        b"disallowedReferences": b" ".join([tree, full(inputs.sources)]).strip(),
    }
    used = (*inputs.sources, *inputs.patches, *inputs.paths, *inputs.recipes)
    sources = {one.path for one in used if one.derivation is None}
    made: dict[bytes, set[bytes]] = {}
    for one in used:
        if one.derivation is not None:
            made.setdefault(one.derivation.inside(store_dir), set()).add(one.output)
    builder = inputs.builder.inside(store_dir)
    return Derivation(
        outputs={OUT: _BLANK, DEBUG: _BLANK},
        inputs={path: tuple(sorted(names)) for path, names in made.items()},
        sources=tuple(
            sorted(path.inside(store_dir) for path in {*sources, inputs.tree, inputs.builder, inputs.library})
        ),
        system=system,
        builder=_SHELL,
        arguments=(b"-e", builder),
        environment=variables,
    )


def _texts(recipe: Recipe) -> dict[bytes, bytes]:
    """Return the variables that are the recipe's own text."""
    texts = dict(recipe.environment)
    texts |= {"name": recipe.full_name, "pname": recipe.name, "version": recipe.version, "kind": recipe.kind}
    texts["phases"] = " ".join(PHASES)
    texts |= {f"{phase}Phase": text for phase, text in recipe.phases}
    for name, text in recipe.hooks:
        when, _, phase = name.partition("-")
        texts[when + phase.capitalize()] = text
    texts |= {f"{name}Flags": "\n".join(words) for name, words in recipe.flags}
    if recipe.check:
        texts["doCheck"] = "1"
    if recipe.opened:
        texts["opened"] = " ".join(recipe.opened)
    if recipe.opened_by:
        texts["openedBy"] = " ".join([f"{program}/{library}" for program, library in recipe.opened_by])
    return {name.encode(): text.encode("utf-8", "surrogatepass") for name, text in texts.items()}
