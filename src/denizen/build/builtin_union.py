"""`builtin:union`: the recipe of one tree of links to the files of several packages (pure).

Variable: `packages`, a line each: a priority (a number; the lower one wins, as in Nix's buildEnv), the
package's store path, a path inside of it, and where that appears in the union; both paths are relative, and
empty for the whole package and the top of the union.

union_plan.py has the rules by which the tree is made.
"""

from __future__ import annotations

from denizen.build.builtin_derivations import recipe, table
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.build.builtin_derivations import Ingredient
    from denizen.formats.aterm import Derivation

BUILDER = b"builtin:union"


class UnionPart(Value):
    """A part of a package that a recipe unites; `inside` and `outside` are as in `union_plan.UnionInput`."""

    package: Ingredient
    priority: int
    inside: bytes = b""
    outside: bytes = b""


def uniting(parts: Sequence[UnionPart], store_dir: bytes) -> Derivation:
    """Return the recipe for parts of packages."""
    rows = sorted(
        (b"%d" % one.priority, one.package.path.inside(store_dir), one.inside, one.outside) for one in parts
    )
    return recipe(BUILDER, {b"packages": table(rows)}, [one.package for one in parts], store_dir)
