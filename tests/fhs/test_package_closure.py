"""Which packages come with the wanted ones."""

import pytest

from denizen.fhs.package_closure import MAX_PACKAGES, MissingPackages, TooManyPackages, closure
from denizen.index.provider import Provider
from tests.support.memory_catalogue import Packages, package


def names(wanted: list[str], *packages: Provider, foreign: tuple[Provider, ...] = ()) -> list[str]:
    catalogues = {"amd64": Packages(packages)} | ({"i386": Packages(foreign)} if foreign else {})
    rows = [(name.partition(":")[0].encode(), name.partition(":")[2] or "amd64") for name in wanted]
    found = closure(rows, "amd64", catalogues)
    return [f"{one.package.package.decode()}:{one.package.package_architecture.decode()}" for one in found]


def test_dependencies_come_in_the_order_they_are_asked_for() -> None:
    found = names(["a"], package("a", "b, c"), package("b", "d"), package("c"), package("d"))
    assert found == ["a:amd64", "b:amd64", "c:amd64", "d:amd64"]


def test_the_first_alternative_is_taken() -> None:
    assert names(["a"], package("a", "b | c"), package("b"), package("c")) == ["a:amd64", "b:amd64"]


def test_an_alternative_that_is_there_already_is_enough() -> None:
    assert names(["c", "a"], package("a", "b | c"), package("b"), package("c")) == ["c:amd64", "a:amd64"]


def test_an_alternative_nobody_has_is_passed_over() -> None:
    assert names(["a"], package("a", "gone | c"), package("c")) == ["a:amd64", "c:amd64"]


def test_a_version_that_is_too_old_is_none() -> None:
    with pytest.raises(MissingPackages) as caught:
        names(["a"], package("a", "b (>= 2)"), package("b", version="1.9"))
    assert "b (>= 2): nothing satisfies it; wanted by a" in caught.value.why


def test_a_virtual_package_goes_to_the_provider_most_depend_on() -> None:
    few, many = package("few", provides="mta", dependents=1), package("many", provides="mta", dependents=9)
    assert names(["a"], package("a", "mta"), few, many) == ["a:amd64", "many:amd64"]


def test_a_chosen_package_provides_what_is_asked_later() -> None:
    packages = (
        package("a", "exim, mta"),
        package("exim", provides="mta"),
        package("postfix", provides="mta", dependents=9),
    )
    assert names(["a"], *packages) == ["a:amd64", "exim:amd64"]


def test_a_versioned_virtual_package_needs_a_versioned_provides() -> None:
    bare, versioned = package("x", provides="v", dependents=9), package("y", provides="v (= 3)")
    assert names(["a"], package("a", "v (>= 2)"), bare, versioned) == ["a:amd64", "y:amd64"]


def test_a_circle_ends() -> None:
    assert names(["a"], package("a", "b"), package("b", "a")) == ["a:amd64", "b:amd64"]


def test_a_foreign_package_brings_its_own_libraries_and_native_tools() -> None:
    native = (
        package("tool", multi_arch="foreign"),
        package("libc", multi_arch="same"),
        package("data", architecture="all"),
    )
    foreign = (
        package("game", "libc, tool, data", architecture="i386"),
        package("libc", architecture="i386", multi_arch="same"),
        package("tool", architecture="i386", multi_arch="foreign"),
        package("data", architecture="all"),
    )
    assert names(["game:i386"], *native, foreign=foreign) == [
        "game:i386", "libc:i386", "tool:amd64", "data:all",
    ]  # fmt: skip


def test_a_program_for_any_architecture_is_taken_natively() -> None:
    python = package("python", multi_arch="allowed")
    foreign = package("app", "python:any", architecture="i386"), package("python", architecture="i386")
    assert names(["app:i386"], python, foreign=foreign) == ["app:i386", "python:amd64"]


def test_everything_that_is_missing_is_told_at_once_with_its_chain_and_near_names() -> None:
    packages = package("a", "b"), package("b", "gone"), package("python3")
    with pytest.raises(MissingPackages) as caught:
        names(["pythn3", "a"], *packages)
    error = caught.value
    assert error.what == "not in the archive: gone, pythn3"
    assert "gone: nothing satisfies it; wanted by a → b" in error.why
    assert "pythn3: no package is called that or provides it" in error.why
    assert "near: python3" in error.remedy


def chain(length: int) -> list[Provider]:
    """Packages each of which depends on the next."""
    return [
        *(package(f"p{number}", f"p{number + 1}") for number in range(length - 1)),
        package(f"p{length - 1}"),
    ]


def test_as_many_packages_as_there_may_be_take_no_recursion() -> None:
    assert len(names(["p0"], *chain(MAX_PACKAGES))) == MAX_PACKAGES


def test_more_are_refused_and_not_cut_short() -> None:
    with pytest.raises(TooManyPackages, match="p0: too many packages come with it") as caught:
        names(["p0"], *chain(MAX_PACKAGES + 1))
    assert "20,000" in caught.value.why
