"""Derivations as denizen itself writes them: what goes in, for which builder (pure).

A recipe is a `Derivation` whose output path is blank; `derivation.seal` computes it. Lists of things
stand in one variable each, a line per thing, its fields separated by tabs: `.drv` files hold nothing
but text, and text can be read in `denizen derivation show`.
"""

from __future__ import annotations

from denizen.build.derivation import BadDerivation
from denizen.errors import display
from denizen.formats import storepath
from denizen.formats.aterm import Derivation, DerivationOutput
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from denizen.build.derivation import Sealed
    from denizen.formats.storepath import StorePath

# What the builders below run on: denizen itself, anywhere.
SYSTEM = b"builtin"
OUT = b"out"
_BLANK = DerivationOutput(b"")


@value
class Ingredient:
    """A store object a recipe uses.

    Attributes:
        path: of the object.
        derivation: the `.drv` that makes it; None for one that is simply there.
        output: which of its outputs it is.
    """

    path: StorePath
    derivation: StorePath | None = None
    output: bytes = OUT


def made_by(sealed: Sealed, output: bytes = OUT) -> Ingredient:
    """An output of a derivation, to be used by another."""
    return Ingredient(sealed.outputs[output], sealed.path, output)


def recipe(
    builder: bytes,
    variables: Mapping[bytes, bytes],
    ingredients: Iterable[Ingredient],
    store_dir: bytes,
    output: DerivationOutput = _BLANK,
) -> Derivation:
    """A derivation of one output, to be sealed."""
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


@value
class Variables:
    """What a derivation tells its builder, read with the checks all builders need."""

    name: str
    environment: Mapping[bytes, bytes]
    store_dir: bytes

    def text(self, key: bytes, default: bytes | None = None) -> bytes:
        """The variable `key`.

        Raises:
            BadDerivation: it is not there and has no default.
        """
        found = self.environment.get(key, default)
        if found is None:
            raise BadDerivation(self.name, f"its builder wants the variable '{display(key)}'")
        return found

    def store_path(self, text: bytes) -> StorePath:
        """A store path written in full. Raises BadStorePath."""
        return storepath.parse(text, self.store_dir)

    def rows(self, key: bytes, fields: int) -> list[list[bytes]]:
        """A list of things, each of so many fields.

        Raises:
            BadDerivation: a line has another number of fields.
        """
        rows = [line.split(b"\t") for line in self.text(key).split(b"\n") if line]
        for row in rows:
            if len(row) != fields:
                raise BadDerivation(
                    self.name, f"a line of '{display(key)}' has {len(row)} fields, not {fields}"
                )
        return rows


def table(rows: Iterable[Iterable[bytes]]) -> bytes:
    """What `Variables.rows` reads back; no field may hold a tab or a line break."""
    lines = [b"\t".join(row) for row in rows]
    return b"".join([line + b"\n" for line in lines])
