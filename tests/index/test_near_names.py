"""Names that are offered for a misspelt one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.index.near_names import one_edit_pattern, packages_like, sonames_like


@given(name=st.binary(max_size=6), other=st.binary(max_size=7), place=st.integers(0, 6))
def test_a_name_one_edit_away_is_near(name: bytes, other: bytes, place: int) -> None:
    head, tail = name[:place], name[place:]
    near = {
        head + tail[1:],
        head + other[:1] + tail,
        head + other[:1] + tail[1:],
        head + tail[1::-1] + tail[2:],
    }
    pattern = one_edit_pattern(name)
    assert all(pattern.match(one) for one in near - {name})
    assert not pattern.match(name + b"ab")
    assert abs(len(other) - len(name)) < 2 or not pattern.match(other)


@pytest.mark.parametrize("far", [b"itg", b"gitt", b"t", b"igt", b"", b"gtit.", b"Gti\n"])
def test_a_name_two_edits_away_is_not_near(far: bytes) -> None:
    assert not one_edit_pattern(b"gti").match(far)


def test_nothing_is_near_what_is_longer_than_a_files_name() -> None:
    """Its edits take room with its square: 5,000 bytes took minutes."""
    long = b"x" * 50_000
    assert one_edit_pattern(long).match(long) is None
    assert packages_like(long, {b"xx", b"xxl"}) == []
    assert sonames_like(long, {b"x.so.1"}) == []
