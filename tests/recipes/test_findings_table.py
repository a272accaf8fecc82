"""Findings of runs in a denizen.lock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.recipes.findings_table import (
    BadFindings,
    RunFinding,
    parse_findings,
    with_findings,
    write_findings,
)
from denizen.recipes.fixup_plan import opened_earlier
from denizen.recipes.recipe import Recipe
from denizen.recipes.recipe_derivation import _texts

FOUND = (RunFinding("late", "libmd4c.so.0", "libmd4c0"), RunFinding("x-y.z", "liba.so", "liba-1.0+b"))
programs = st.text(min_size=1, max_size=20).filter(lambda text: "/" not in text and text.split() == [text])


@given(st.lists(st.builds(RunFinding, programs, st.just("libx.so.1"), st.just("libx1"))))
def test_what_is_written_is_read(findings: list[RunFinding]) -> None:
    kept = parse_findings(write_findings(findings))
    assert set(kept) <= set(findings)
    assert write_findings(kept) == write_findings(findings)


def test_a_program_that_a_line_cannot_hold_is_left_out() -> None:
    odd = RunFinding("two words", "libx.so.1", "libx1")
    assert parse_findings(write_findings([*FOUND, odd])) == FOUND


@pytest.mark.parametrize(
    "line",
    [
        "late",
        "late\tlibx.so.1",
        "a/b\tlibx.so.1\tx1",
        "late\t../libx.so.1\tx1",
        "late\tlibx\tx1",
        "late\tlibx.so\tX;",
    ],
)
def test_a_line_that_is_none_is_refused(line: str) -> None:
    with pytest.raises(BadFindings):
        parse_findings(f"{write_findings(FOUND).decode()}{line}\n".encode())


def test_a_recipe_with_findings_has_their_packages_and_its_programs_their_libraries() -> None:
    recipe = with_findings(Recipe("a", "1", packages=("liba-1.0+b", "zlib1g-dev")), FOUND)
    assert recipe.packages == ("liba-1.0+b", "zlib1g-dev", "libmd4c0")
    words = _texts(recipe)[b"openedBy"]
    assert opened_earlier(words) == {b"late": (b"libmd4c.so.0",), b"x-y.z": (b"liba.so",)}
    assert b"openedBy" not in _texts(Recipe("a", "1"))
