"""Packages that exclude each other."""

from denizen.fhs.package_conflicts import ConflictingPackages, clashes
from tests.support.memory_catalogue import control


def test_two_packages_that_exclude_each_other_are_both_named_with_a_remedy() -> None:
    found = clashes([control("exim", conflicts="mta"), control("postfix", provides="mta")])
    assert [(one.one, one.other, one.field) for one in found] == [(b"exim", b"postfix", "Conflicts")]
    error = ConflictingPackages(tuple(found))
    assert "exim and postfix" in error.what
    assert "leave out exim or postfix" in error.remedy


def test_a_package_may_conflict_with_what_it_provides_itself() -> None:
    assert clashes([control("exim", provides="mta", conflicts="mta")]) == []


def test_breaks_count_for_the_versions_they_name() -> None:
    new = control("new", breaks="old (<< 2)")
    assert [one.field for one in clashes([new, control("old", version="1.9")])] == ["Breaks"]
    assert clashes([new, control("old", version="2")]) == []


def test_a_provided_name_is_not_hit_by_a_versioned_conflict() -> None:
    assert clashes([control("a", conflicts="b (<< 2)"), control("c", provides="b")]) == []
