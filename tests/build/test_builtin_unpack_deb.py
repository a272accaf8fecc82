import pytest

from denizen.build import builtin_unpack_deb
from denizen.build.builtin_derivations import Ingredient
from denizen.build.builtin_unpack_deb import UnpackDeb, unpacking
from denizen.build.builtin_variables import Variables
from denizen.build.derivation import BadDerivation
from denizen.formats.archive_tree import Layout
from denizen.formats.storepath import NIX_STORE, StorePath

SOURCE = StorePath("0" * 32, "x.deb")


@pytest.mark.parametrize("layout", list(Layout))
def test_a_recipe_is_read_back(layout: Layout) -> None:
    derivation = unpacking(Ingredient(SOURCE), NIX_STORE, layout)
    assert builtin_unpack_deb.read(Variables("x", derivation.environment, NIX_STORE)) == UnpackDeb(
        SOURCE, layout
    )


def test_without_a_layout_the_tree_is_as_packaged() -> None:
    variables = Variables("x", {b"src": SOURCE.inside(NIX_STORE)}, NIX_STORE)
    assert builtin_unpack_deb.read(variables).layout is Layout.AS_PACKAGED


def test_another_layout_is_refused() -> None:
    with pytest.raises(BadDerivation, match="no layout 'flat'"):
        builtin_unpack_deb.read(Variables("x", {b"src": b"", b"layout": b"flat"}, NIX_STORE))
