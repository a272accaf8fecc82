import pytest

from denizen.build.builtin_derivations import SYSTEM, Ingredient, made_by, recipe, table
from denizen.build.builtin_variables import Variables
from denizen.build.derivation import BadDerivation, Modulos, seal
from denizen.build.derivation_errors import NotListed
from denizen.errors import BadInput
from denizen.formats.storepath import NIX_STORE, StorePath

THERE = StorePath("0" * 32, "there")


def test_what_is_made_becomes_an_input_and_what_is_there_a_source() -> None:
    modulos: Modulos = {}
    first = seal(recipe(b"builtin:x", {}, (), NIX_STORE), "first", modulos, NIX_STORE)
    found = recipe(
        b"builtin:y", {b"a": b"1"}, [made_by(first), Ingredient(THERE), Ingredient(THERE)], NIX_STORE
    )
    assert found.inputs == {first.path.inside(NIX_STORE): (b"out",)}
    assert found.sources == (THERE.inside(NIX_STORE),)
    assert (found.system, found.builder, found.environment) == (SYSTEM, b"builtin:y", {b"a": b"1"})


def variables(text: bytes) -> Variables:
    return Variables("x", {b"list": text}, NIX_STORE)


@pytest.mark.parametrize("rows", [[], [[b"a", b"b"]], [[b"a", b""], [b"\xff", b" "]]])
def test_tables_are_read_back(rows: list[list[bytes]]) -> None:
    assert variables(table(rows)).rows(b"list", 2) == rows


@pytest.mark.parametrize("field", [b"/home/a\nb/store/x", b"/a\tb"])
def test_what_would_be_read_back_as_something_else_is_not_written(field: bytes) -> None:
    with pytest.raises(NotListed, match="cannot stand in a derivation"):
        table([[b"a", field]])


@pytest.mark.parametrize("text", [b"a", b"a\tb\tc", b"a\tb\nc"])
def test_a_line_of_another_width_is_refused(text: bytes) -> None:
    with pytest.raises(BadDerivation, match="fields, not 2"):
        variables(text).rows(b"list", 2)


def test_a_variable_that_is_not_there_is_asked_for_by_name() -> None:
    assert variables(b"").text(b"other", b"default") == b"default"
    with pytest.raises(BadDerivation, match="wants the variable 'other'"):
        variables(b"").text(b"other")


def test_store_paths_are_of_the_derivations_store() -> None:
    assert variables(b"").store_path(THERE.inside(NIX_STORE)) == THERE
    with pytest.raises(BadInput, match="not in /nix/store"):
        variables(b"").store_path(THERE.inside(b"/else"))
