"""Derivations for denizen's built-in builders (pure).

A recipe is a `Derivation` whose output path is blank; `derivation.seal` computes it. A list is stored in
one variable, with a line per item and its fields separated by tabs: `.drv` files hold only text, and text
can be read in `denizen derivation show`. builtin_variables.py reads them.
"""

from __future__ import annotations

from denizen.formats.aterm import Derivation, DerivationOutput
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from denizen.build.derivation import Sealed
    from denizen.formats.storepath import StorePath

# The `system` of derivations that denizen itself builds, on any machine.
SYSTEM = b"builtin"
OUT = b"out"
_BLANK = DerivationOutput(b"")


class Ingredient(Value):
    """A store object that a recipe uses.

    Attributes:
        path: the object's path.
        derivation: the `.drv` that makes it; None for an object that is in the store already.
        output: the name of the derivation's output that it is.
    """

    path: StorePath
    derivation: StorePath | None = None
    output: bytes = OUT


def made_by(sealed: Sealed, output: bytes = OUT) -> Ingredient:
    """Return an output of a derivation as an ingredient of another."""
    return Ingredient(sealed.outputs[output], sealed.path, output)


def recipe(
    builder: bytes,
    variables: Mapping[bytes, bytes],
    ingredients: Iterable[Ingredient],
    store_dir: bytes,
    output: DerivationOutput = _BLANK,
) -> Derivation:
    """Return a derivation with one output, to be sealed."""
    inputs: dict[bytes, set[bytes]] = {}
    sources: set[bytes] = set()
    for ingredient in ingredients:
        if ingredient.derivation is None:
            sources.add(ingredient.path.inside(store_dir))
        else:
            inputs.setdefault(ingredient.derivation.inside(store_dir), set()).add(ingredient.output)
    return Derivation(
        outputs={OUT: output},
        inputs={path: tuple(sorted(names)) for path, names in inputs.items()},
        sources=tuple(sorted(sources)),
        system=SYSTEM,
        builder=builder,
        arguments=(),
        environment=dict(variables),
    )


def table(rows: Iterable[Iterable[bytes]]) -> bytes:
    """Return the text of a list that `builtin_variables.Variables.rows` parses.

    Raises:
        NotListed: a field holds a tab or a line break.
    """
    return b"".join([b"\t".join(map(_field, row)) + b"\n" for row in rows])


def _field(text: bytes) -> bytes:
    if b"\t" in text or b"\n" in text:
        from denizen.build.derivation_errors import NotListed

        raise NotListed(text)
    return text
