import pickle
from typing import ClassVar

import pytest

from denizen.value import Enum, Row, Value, fields_of, replace, rows_of


class Point(Value):
    x: int
    y: int = 0
    origin: ClassVar[str] = "corner"

    @property
    def sum(self) -> int:
        return self.x + self.y


class Named(Point):
    name: str = ""


class Positive(Value):
    number: int

    def __post_init__(self) -> None:
        if self.number < 0:
            raise ValueError(self.number)


def test_fields_come_by_position_by_name_and_by_default() -> None:
    assert (Point(1, 2), Point(y=2, x=1), Point(1).y) == (Point(1, 2), Point(1, 2), 0)


def test_a_missing_field_is_a_type_error_on_the_first_call_and_on_later_ones() -> None:
    for _ in range(2):
        with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
            Point()  # type: ignore[call-arg]  # the point of the test


def test_values_are_equal_and_hash_by_their_fields_within_one_class() -> None:
    assert Point(1, 2) == Point(1, 2)
    assert len({Point(1, 2), Point(1, 2), Point(2, 1)}) == 2
    assert Point(1) != Named(1)


def test_a_subclass_is_compared_and_hashed_by_its_own_fields_too() -> None:
    assert Point(1) == Point(1)  # which makes the base class keep its function
    assert Named(1, name="a") != Named(1, name="b")
    assert len({Named(1, name="a"), Named(1, name="b"), Named(1, 0, "a")}) == 2


def test_classes_of_one_field_and_of_none_are_compared_and_hashed() -> None:
    class Nothing(Value):
        pass

    assert (Nothing(), hash(Nothing())) == (Nothing(), hash(Nothing()))
    assert (Positive(1), hash(Positive(1))) == (Positive(1), hash(Positive(1)))
    assert Positive(1) != Positive(2)


def test_a_value_cannot_be_changed_or_grow_attributes() -> None:
    for name in ("x", "z"):
        with pytest.raises(AttributeError, match=f"{name} cannot be set"):
            setattr(Point(1), name, 2)
    with pytest.raises(AttributeError, match="x cannot be deleted"):
        del Point(1).x


def test_a_subclass_has_its_bases_fields_first_with_their_defaults() -> None:
    assert fields_of(Named(1, name="n")) == (1, 0, "n")
    assert repr(Named(1)) == "Named(x=1, y=0, name='')"


def test_methods_class_variables_and_matching_work() -> None:
    assert (Point(1, 2).sum, Point.origin) == (3, "corner")
    match Point(4, 5):
        case Point(x, y):
            assert (x, y) == (4, 5)


def test_post_init_may_refuse() -> None:
    with pytest.raises(ValueError, match="-1"):
        Positive(-1)


def test_replace_changes_what_is_named() -> None:
    assert replace(Named(1, 2, "a"), y=3) == Named(1, 3, "a")
    with pytest.raises(TypeError):
        replace(Point(1), z=3)


def test_values_survive_pickling() -> None:
    assert pickle.loads(pickle.dumps(Named(1, 2, "n"))) == Named(1, 2, "n")


def test_a_body_evaluated_before_use_does_not_leak_defaults_between_classes() -> None:
    assert vars(Point)["__slots__"] == ("x", "y")
    assert not hasattr(Point(1), "__dict__")


def test_the_one_hundred_and_fiftieth_of_a_class_is_made_like_the_first() -> None:
    made = [Point(number, y=-number) for number in range(200)]
    assert [(point.x, point.y) for point in made] == [(number, -number) for number in range(200)]


class Pair(Row):
    left: int
    right: int

    @property
    def both(self) -> int:
        return self.left + self.right


def test_a_row_is_a_tuple_with_names() -> None:
    assert Pair(1, 2) == (1, 2) == Pair(right=2, left=1)
    assert (Pair(1, 2).right, Pair(1, 2).both, repr(Pair(1, 2))) == (2, 3, "Pair(left=1, right=2)")
    assert rows_of(Pair, [(1, 2), (3, 4)]) == [Pair(1, 2), Pair(3, 4)]
    assert pickle.loads(pickle.dumps(Pair(1, 2))) == Pair(1, 2)


@pytest.mark.parametrize(
    ("items", "named"), [((1,), {}), ((1, 2, 3), {}), ((1, 2), {"left": 1}), ((1,), {"x": 2})]
)
def test_a_row_with_other_fields_is_a_type_error(items: tuple[int, ...], named: dict[str, int]) -> None:
    with pytest.raises(TypeError, match="Pair wants left, right"):
        Pair(*items, **named)


class Colour(Enum):
    RED = "red"
    BLUE = b"blue"

    @property
    def shouted(self) -> str:
        return self.name + "!"


def test_an_enumeration_has_its_members_in_order_and_no_others() -> None:
    assert [(colour.name, colour.value) for colour in Colour] == [("RED", "red"), ("BLUE", b"blue")]
    assert (Colour.RED.shouted, str(Colour.RED), repr(Colour.RED)) == (
        "RED!",
        "Colour.RED",
        "<Colour.RED: 'red'>",
    )
    assert (Colour("red"), len(Colour)) == (Colour.RED, 2)
    with pytest.raises(ValueError, match="'green' is not a valid Colour"):
        Colour("green")


def test_a_member_stays_itself_through_a_pickle() -> None:
    assert pickle.loads(pickle.dumps(Colour.BLUE)) is Colour.BLUE
