"""`builtin:unpack-deb`: the tree of a Debian package (pure).

Variables: `src`, the package file in the store; `layout`, `as-packaged` or `usr-merged`
(`formats.archive_tree`). The package's scripts are neither run nor kept.
"""

from __future__ import annotations

from denizen.build.builtin_derivations import recipe
from denizen.build.derivation import BadDerivation
from denizen.errors import display
from denizen.formats.archive_tree import Layout
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.build.builtin_derivations import Ingredient
    from denizen.build.builtin_variables import Variables
    from denizen.formats.aterm import Derivation
    from denizen.formats.storepath import StorePath

BUILDER = b"builtin:unpack-deb"


class UnpackDeb(Value):
    """A package file to be unpacked, and the layout of its tree."""

    source: StorePath
    layout: Layout


def unpacking(source: Ingredient, store_dir: bytes, layout: Layout = Layout.AS_PACKAGED) -> Derivation:
    """Return the recipe for unpacking the package file `source`."""
    variables = {b"src": source.path.inside(store_dir), b"layout": layout.value.encode("ascii")}
    return recipe(BUILDER, variables, [source], store_dir)


def read(variables: Variables) -> UnpackDeb:
    """Return the unpacking that a derivation describes.

    Raises:
        BadDerivation: no source, or a layout that does not exist.
        BadStorePath: a source that is not in the store.
    """
    layout = variables.text(b"layout", Layout.AS_PACKAGED.value.encode("ascii"))
    try:
        chosen = Layout(layout.decode("utf-8", "replace"))
    except ValueError:
        raise BadDerivation(variables.name, f"there is no layout '{display(layout)}'") from None
    return UnpackDeb(variables.store_path(variables.text(b"src")), chosen)
