"""The plan of an installed package: which packages it consists of, and what its commands need (pure).

It is made from the index once; from then on the same plan gives the same element, on any machine. A lock is
a list of plans; a command's recipe is the part of one from which a lost decision is made again. Both are
JSON.

Limits: MAX_SIZE bytes. Both may come from elsewhere: every field is checked.
"""

from __future__ import annotations

from denizen.errors import BadInput
from denizen.formats.compact_json import parse_json
from denizen.profiles.command_recipe import FORMAT, CommandRecipe, recipe_row
from denizen.profiles.profile_manifest import pin_row, read_pin
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from denizen.resolve.resolution import Pin

MAX_SIZE = 64 << 20


class BadPlan(BadInput):
    """The error that a recipe or a list of plans cannot be read."""

    place: bytes
    problem: str
    WHAT = "{place} cannot be read"
    WHY = "{problem:text}"


class PackagePlan(Value):
    """A package to be installed, exactly.

    Attributes:
        name: as it was asked for.
        pins: the package, first, and what it depends on.
        exporting: those whose commands and data are shown.
    """

    name: str
    pins: tuple[Pin, ...]
    exporting: tuple[Pin, ...]
    recipe: CommandRecipe


def read_recipe(text: bytes, place: bytes) -> CommandRecipe:
    """Return the recipe in a file's bytes. Raises BadPlan."""
    try:
        table = parse_json(text.decode("utf-8", "surrogatepass"))
        _check_format(table)
        return _recipe(table)
    except _FAULTS as bad:
        raise BadPlan(place, str(bad)) from bad


def write_plans(plans: Sequence[PackagePlan]) -> bytes:
    """Return plans, sorted by name, as a file's bytes."""
    import json

    rows = [
        {
            "name": one.name,
            "pins": [pin_row(pin) for pin in one.pins],
            "exporting": [pin_row(pin) for pin in one.exporting],
            **recipe_row(one.recipe),
        }
        for one in sorted(plans, key=lambda one: one.name)
    ]
    return (json.dumps({"format": FORMAT, "plans": rows}, indent=1) + "\n").encode()


def read_plans(text: bytes, place: bytes) -> tuple[PackagePlan, ...]:
    """Return the plans in a file's bytes. Raises BadPlan."""
    try:
        table = parse_json(text.decode("utf-8", "surrogatepass"))
        _check_format(table)
        return tuple(map(_plan, table["plans"]))
    except _FAULTS as bad:
        raise BadPlan(place, str(bad)) from bad


_FAULTS = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError, BadInput)


def _check_format(table: dict[str, Any]) -> None:
    if table["format"] != FORMAT:
        raise ValueError(f"it has the format {table['format']}, this denizen reads {FORMAT}")


def _plan(row: dict[str, Any]) -> PackagePlan:
    pins, exporting = (tuple(map(read_pin, row[key])) for key in ("pins", "exporting"))
    if not isinstance(row["name"], str) or not pins or not exporting or exporting[0] != pins[0]:
        raise ValueError("a plan has no name, or no package of its own")
    return PackagePlan(row["name"], pins, exporting, _recipe(row))


def _recipe(row: dict[str, Any]) -> CommandRecipe:
    suites, packages, inside = (tuple(row[key]) for key in ("suites", "packages", "inside"))
    if not all(isinstance(one, str) for one in (*suites, *packages, *inside)):
        raise ValueError("a name in it is no text")
    return CommandRecipe(suites, packages, tuple(map(read_pin, row["environment"])), inside)
