"""`builtin:union`: the recipe of one tree of links to the files of several packages (pure).

Variable: `packages`, a line each: a priority (a number; the lower one wins, as in Nix's buildEnv), the
package's store path, a path inside of it, and where that appears in the union; both paths are relative, and
empty for the whole package and the top of the union.

union_plan.py has the rules by which the tree is made.
"""

from __future__ import annotations

from denizen.build.builtin_derivations import Variables, recipe, table
from denizen.build.derivation import BadDerivation
from denizen.errors import display
from denizen.formats.entry_name import is_entry_name
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.build.builtin_derivations import Ingredient
    from denizen.formats.aterm import Derivation
    from denizen.formats.storepath import StorePath

BUILDER = b"builtin:union"


@value
class UnionInput:
    """A package, or a part of one, and its priority; the lower number wins.

    Attributes:
        inside: the part's path in the package, b"" for all of it.
        outside: where the part appears in the union, b"" for the top.
    """

    path: StorePath
    priority: int
    inside: bytes = b""
    outside: bytes = b""


@value
class UnionPart:
    """A part of a package that a recipe unites; `inside` and `outside` are as in `UnionInput`."""

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


def read(variables: Variables) -> list[UnionInput]:
    """Return the packages to unite.

    Raises:
        BadDerivation: a priority that is not a number, or a path that is not plain and relative.
        BadStorePath: a package that is not in the store.
    """
    packages = []
    for priority, path, inside, outside in variables.rows(b"packages", 4):
        if not priority.isdigit() or len(priority) > 9:
            raise BadDerivation(variables.name, f"'{display(priority)}' is not a priority")
        for part in (inside, outside):
            if part and not all(map(is_entry_name, part.split(b"/"))):
                raise BadDerivation(variables.name, f"'{display(part)}' is not a path in a tree")
        packages.append(UnionInput(variables.store_path(path), int(priority), inside, outside))
    return packages
