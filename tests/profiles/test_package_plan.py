import json

import pytest

from denizen.profiles.command_recipe import CommandRecipe, write_recipe
from denizen.profiles.package_plan import BadPlan, PackagePlan, read_plans, read_recipe, write_plans
from tests.support.profile_elements import pin

RECIPE = CommandRecipe(("trixie",), ("a" * 64,), (pin("libc6"), pin("zip")), ("zipgrep",))
PLANS = tuple(PackagePlan(name, (pin(name), pin("libc6")), (pin(name),), RECIPE) for name in ("unzip", "zip"))


def test_plans_and_recipes_are_read_as_they_were_written() -> None:
    assert read_plans(write_plans(PLANS[::-1]), b"x") == PLANS
    assert read_recipe(write_recipe(RECIPE), b"x") == RECIPE


def broken(**fields: object) -> bytes:
    table = json.loads(write_plans(PLANS))
    table["plans"][0] |= fields
    return json.dumps(table).encode()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b'{"format": 2, "plans": []}',
        b"[" * 100_000,
        broken(pins=[]),
        broken(exporting=[]),
        broken(name=3),
        broken(suites=[1]),
        broken(environment=[{}]),
        broken(inside="zip", packages=[None]),
    ],
)
def test_a_lock_from_elsewhere_is_refused_where_it_is_wrong(text: bytes) -> None:
    with pytest.raises(BadPlan):
        read_plans(text, b"denizen.lock")
