import posixpath
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.build import union_plan
from denizen.build.builtin_derivations import Ingredient
from denizen.build.builtin_union import UnionPart, uniting
from denizen.build.builtin_variables import Variables
from denizen.build.derivation import BadDerivation
from denizen.build.union_plan import Conflict, UnionInput, UnionProvider, plan
from denizen.errors import BadInput
from denizen.fileview import Executable, MemoryView, ViewLink
from denizen.formats.file_tree import Directory, Symlink
from denizen.formats.storepath import NIX_STORE, StorePath
from tests.support.generated_trees import nar

Entry = bytes | Executable | ViewLink
A, B, C = (StorePath(digit * 32, name) for digit, name in (("0", "a"), ("1", "b"), ("2", "c")))


def provider(path: StorePath, entries: Mapping[bytes, Entry], priority: int = 5) -> UnionProvider:
    return UnionProvider(UnionInput(path, priority), MemoryView(entries))


def linked(*providers: UnionProvider) -> dict[bytes, bytes | None]:
    """Paths with their link targets; None for a directory. Also checks the order by writing a NAR."""
    entries = list(plan(providers))
    nar(*entries)
    return {entry.path: entry.target if isinstance(entry, Symlink) else None for entry in entries}


def base(path: StorePath) -> bytes:
    return path.base.encode()


def test_what_one_package_has_alone_is_one_link() -> None:
    assert linked(provider(A, {b"/bin/x": b"", b"/README": b""})) == {
        b"": None,
        b"README": b"../" + base(A) + b"/README",
        b"bin": b"../" + base(A) + b"/bin",
    }


def test_a_directory_of_several_becomes_a_directory() -> None:
    found = linked(
        provider(A, {b"/share/doc/a": b"", b"/share/man/1": b""}),
        provider(B, {b"/share/doc/b": b"", b"/lib/l": b""}),
    )
    assert found == {
        b"": None,
        b"lib": b"../" + base(B) + b"/lib",
        b"share": None,
        b"share/doc": None,
        b"share/doc/a": b"../../../" + base(A) + b"/share/doc/a",
        b"share/doc/b": b"../../../" + base(B) + b"/share/doc/b",
        b"share/man": b"../../" + base(A) + b"/share/man",
    }


def test_links_lead_to_their_package_from_wherever_they_are() -> None:
    found = linked(provider(A, {b"/x/y/a": b""}), provider(B, {b"/x/y/b": b""}))
    for path, target in found.items():
        if target is not None:
            place = posixpath.normpath(posixpath.join(b"/store/out", posixpath.dirname(path), target))
            assert place in {b"/store/%b/%b" % (base(one), path) for one in (A, B)}


def test_the_lower_priority_number_wins() -> None:
    for first, second in ((1, 9), (9, 1)):
        found = linked(provider(A, {b"/bin/x": b"1"}, first), provider(B, {b"/bin/x": b"2"}, second))
        assert found[b"bin/x"] == b"../../" + base(A if first < second else B) + b"/bin/x"


def test_all_conflicts_are_reported_together_with_both_packages() -> None:
    with pytest.raises(Conflict) as caught:
        linked(
            provider(A, {b"/bin/x": b"1", b"/bin/y": b"1", b"/z": b""}),
            provider(B, {b"/bin/x": b"2", b"/z": b""}),
            provider(C, {b"/bin/y": b"3"}),
        )
    assert caught.value.clashes == ((b"bin/x", A, B), (b"bin/y", A, C))
    assert f"bin/x: {A} and {B}" in caught.value.why
    assert "priority" in caught.value.remedy


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({b"/x": b"same"}, {b"/x": b"same"}),
        ({b"/x": ViewLink(b"y"), b"/y": b""}, {b"/x": ViewLink(b"y"), b"/y": b""}),
        ({b"/x": ViewLink(b"nowhere")}, {b"/x": ViewLink(b"nowhere")}),
        ({b"/x": ViewLink(b"y"), b"/y": b"same"}, {b"/x": b"same"}),
    ],
)
def test_the_same_file_twice_is_no_conflict(one: dict[bytes, Entry], other: dict[bytes, Entry]) -> None:
    assert linked(provider(A, one), provider(B, other))[b"x"] == b"../" + base(A) + b"/x"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({b"/x": b"1"}, {b"/x": b"2"}),
        ({b"/x": b"1"}, {b"/x": b"12"}),
        ({b"/x": b"1"}, {b"/x": Executable(b"1")}),
        ({b"/x": b""}, {b"/x/y": b""}),
        ({b"/x/y": b""}, {b"/x": b""}),
        ({b"/x": ViewLink(b"here")}, {b"/x": ViewLink(b"there")}),
        ({b"/x": ViewLink(b"nowhere")}, {b"/x": b""}),
        ({b"/x": ViewLink(b"nowhere")}, {b"/x/y": b""}),
    ],
)
def test_different_things_of_one_name_are_a_conflict(
    one: dict[bytes, Entry], other: dict[bytes, Entry]
) -> None:
    with pytest.raises(Conflict) as caught:
        linked(provider(A, one), provider(B, other))
    assert caught.value.clashes == ((b"x", A, B),)
    linked(provider(A, one, 1), provider(B, other, 2))


def test_directories_are_merged_even_where_a_file_of_worse_priority_stands() -> None:
    found = linked(
        provider(A, {b"/x/a": b""}, 1), provider(B, {b"/x": b"file"}, 2), provider(C, {b"/x/c": b""}, 3)
    )
    assert found[b"x"] is None
    assert found[b"x/c"] == b"../../" + base(C) + b"/x/c"


def test_a_link_to_a_directory_of_the_package_is_merged_as_one() -> None:
    # An absolute link means the package's own root.
    found = linked(
        provider(A, {b"/lib": ViewLink(b"usr/lib"), b"/usr/lib/a": b""}),
        provider(B, {b"/lib": ViewLink(b"/usr/lib"), b"/usr/lib/b": b""}),
    )
    assert found[b"lib"] is None
    assert found[b"lib/a"] == b"../../" + base(A) + b"/lib/a"
    assert found[b"lib/b"] == b"../../" + base(B) + b"/lib/b"


def test_links_in_circles_are_links() -> None:
    found = linked(provider(A, {b"/x": ViewLink(b"x")}), provider(B, {b"/y": b""}))
    assert found[b"x"] == b"../" + base(A) + b"/x"


def test_a_union_of_nothing_is_an_empty_directory() -> None:
    assert list(plan([])) == [Directory(b"")]


def test_recipes_are_read_back_sorted() -> None:
    derivation = uniting([UnionPart(Ingredient(B), 5), UnionPart(Ingredient(A), 10)], NIX_STORE)
    assert union_plan.inputs_of(Variables("x", derivation.environment, NIX_STORE)) == [
        UnionInput(A, 10),
        UnionInput(B, 5),
    ]
    assert len(derivation.sources) == 2


@pytest.mark.parametrize("priority", [b"-1", b"", b"x", b"9999999999"])
def test_a_priority_is_a_number(priority: bytes) -> None:
    row = b"%b\t%b\t\t" % (priority, A.inside(NIX_STORE))
    with pytest.raises(BadDerivation, match="not a priority"):
        union_plan.inputs_of(Variables("x", {b"packages": row}, NIX_STORE))


names = st.lists(st.sampled_from([b"a", b"b", b"c"]), min_size=1, max_size=3).map(b"/".join)
contents = st.one_of(st.sampled_from([b"1", b"2"]), names.map(ViewLink))


def view(entries: dict[bytes, Entry]) -> dict[bytes, Entry]:
    """Without entries below files."""
    return {
        b"/" + path: entry
        for path, entry in entries.items()
        if not any(path != other and path.startswith(other + b"/") for other in entries)
    }


@given(
    st.lists(st.dictionaries(names, contents, max_size=4), max_size=3),
    st.lists(st.integers(0, 1), min_size=3),
)
def test_any_packages_unite_in_order_or_conflict(
    some: list[dict[bytes, Entry]], priorities: list[int]
) -> None:
    packages = [
        provider(path, view(entries), priority)
        for path, entries, priority in zip((A, B, C), some, priorities, strict=False)
    ]
    try:
        found = linked(*packages)
    except BadInput:
        return
    for one in packages:
        for name in one.view.listdir(b"/"):
            assert name in found


def part(
    path: StorePath, entries: Mapping[bytes, Entry], inside: bytes, outside: bytes, priority: int = 5
) -> UnionProvider:
    return UnionProvider(UnionInput(path, priority, inside, outside), MemoryView(entries))


def test_a_part_of_a_package_appears_elsewhere() -> None:
    found = linked(part(A, {b"/usr/share/man/1": b"", b"/usr/bin/x": b""}, b"usr/share", b"share"))
    assert found == {b"": None, b"share": b"../" + base(A) + b"/usr/share"}


def test_parts_meet_above_and_below_each_other() -> None:
    found = linked(
        part(A, {b"/usr/share/a": b""}, b"usr/share", b"share"),
        part(B, {b"/units/u": b"", b"/units/v": b""}, b"units", b"share/systemd/user"),
        part(C, {b"/bin/c": b""}, b"bin/c", b"bin/d"),
    )
    assert found == {
        b"": None,
        b"bin": None,
        b"bin/d": b"../../" + base(C) + b"/bin/c",
        b"share": None,
        b"share/a": b"../../" + base(A) + b"/usr/share/a",
        b"share/systemd": None,
        b"share/systemd/user": b"../../../" + base(B) + b"/units",
    }


def test_a_package_that_is_one_file_can_be_a_part() -> None:
    found = linked(provider(A, {b"/bin/x": b""}), part(B, {b"/": b"text"}, b"", b"manifest.json"))
    assert found[b"manifest.json"] == b"../" + base(B)


@pytest.mark.parametrize("path", [b"/usr", b"../x", b"a//b", b"a/", b"a\0b"])
def test_a_part_stays_in_the_package_and_the_union(path: bytes) -> None:
    for row in (b"5\t%b\t%b\t", b"5\t%b\t\t%b"):
        text = row % (A.inside(NIX_STORE), path)
        with pytest.raises(BadDerivation, match="not a path"):
            union_plan.inputs_of(Variables("x", {b"packages": text}, NIX_STORE))
