"""One path in place of another: what is a mention, and changes that are undone by changing back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.relocate.prefix import Prefix, filled, in_text, mentions

HOME = Prefix(b"/opt/app", b"/home/somebody/apps/app")


@pytest.mark.parametrize(
    "text",
    [
        b"/opt/app",
        b"-L/opt/app/lib",
        b'"/opt/app"',
        b"a:/opt/app/bin:b",
        b"file:///opt/app/doc",
        b"s\x09\0\0\0/opt/app/",
    ],
)
def test_a_path_is_mentioned_as_a_whole(text: bytes) -> None:
    assert len(list(mentions(text, b"/opt/app"))) == 1


@pytest.mark.parametrize(
    "text", [b"/opt/apple", b"/opt/app-2/lib", b"/srv/opt/app", b"x=/srv/opt/app", b"/opt/ap"]
)
def test_a_longer_path_is_another(text: bytes) -> None:
    assert list(mentions(text, b"/opt/app")) == []
    assert in_text(text, HOME) == (text, 0)


def test_text_takes_a_path_of_any_length() -> None:
    new, count = in_text(b"PATH=/opt/app/bin:/usr/bin\n", HOME)
    assert (new, count) == (b"PATH=/home/somebody/apps/app/bin:/usr/bin\n", 1)


@pytest.mark.parametrize(("old", "new"), [(b"x/opt/app/lib", b"x/o///////lib"), (b"x/opt/app", b"x///////o")])
def test_a_shorter_path_is_filled_up_with_slashes(old: bytes, new: bytes) -> None:
    assert changed(old, Prefix(b"/opt/app", b"/o")) == new


paths = st.lists(st.sampled_from([b"a", b"bc", b"def", b"store"]), min_size=1, max_size=5).map(
    lambda parts: b"/" + b"/".join(parts)
)
around = st.sampled_from([b"", b"\0", b"-L", b"=", b":", b'"', b"file://", b"x\0\0"])
rests = st.sampled_from([b"", b"/", b"/lib", b"/lib/x.so", b"\0", b":/usr/lib", b'"', b"//lib"])


def changed(data: bytes, prefix: Prefix) -> bytes | None:
    new = bytearray(data)
    for one in mentions(data, prefix.old):
        text = filled(one, prefix.new)
        if text is None:
            return None
        new[one.start : one.end] = text
    return bytes(new)


@given(paths, paths, st.lists(st.tuples(around, rests), min_size=1, max_size=4))
def test_what_is_filled_up_and_changed_back_is_the_same(
    old: bytes, new: bytes, places: list[tuple[bytes, bytes]]
) -> None:
    data = b"\0".join(before + old + after for before, after in places)
    if list(mentions(data, new)) and old != new:
        return
    there = changed(data, Prefix(old, new))
    if there is None:
        assert len(new) > len(old)
        return
    assert len(there) == len(data)
    assert changed(there, Prefix(new, old)) == data
