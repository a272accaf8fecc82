"""The grammar of relations, and what satisfies one."""

import pytest

from denizen.fhs.package_relations import Relation, groups, relations


def test_alternatives_stay_in_order() -> None:
    assert groups(b"a (>= 1.2) | b:any, c") == [
        (Relation(b"a", b"", ">=", b"1.2"), Relation(b"b", b"any")),
        (Relation(b"c"),),
    ]


def test_architectures_and_profiles_are_passed_over() -> None:
    assert relations(b"a [amd64 i386], b (= 1) <!nocheck>") == [
        Relation(b"a"),
        Relation(b"b", b"", "=", b"1"),
    ]


@pytest.mark.parametrize("text", [b"", b",,", b"|", b"a (~ 1)", b"(>= 1)"])
def test_what_breaks_the_grammar_is_left_out(text: bytes) -> None:
    assert groups(text) == []


@pytest.mark.parametrize(
    ("operator", "admitted"),
    [("<<", [b"1~rc"]), ("<=", [b"1~rc", b"1"]), ("=", [b"1"]), (">=", [b"1", b"1.1"]), (">>", [b"1.1"])],
)
def test_an_operator_admits_by_debians_order(operator: str, admitted: list[bytes]) -> None:
    relation = Relation(b"a", b"", operator, b"1")
    assert [version for version in (b"1~rc", b"1", b"1.1") if relation.admits(version)] == admitted


def test_a_provides_without_a_version_satisfies_no_versioned_relation() -> None:
    wanted = Relation(b"mta", b"", ">=", b"2")
    assert not wanted.admits_provided(Relation(b"mta"))
    assert wanted.admits_provided(Relation(b"mta", b"", "=", b"3"))
    assert not wanted.admits_provided(Relation(b"mta", b"", "=", b"1"))
    assert Relation(b"mta").admits_provided(Relation(b"mta"))


def test_a_relation_reads_as_it_is_written() -> None:
    assert str(Relation(b"a", b"any", ">=", b"1:2-3")) == "a:any (>= 1:2-3)"
