import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.formats.storepath import StorePath
from denizen.profiles.profile_errors import DamagedProfile
from denizen.profiles.profile_manifest import (
    ElementKind,
    ElementPart,
    ProfileElement,
    manifest_of,
    read_manifest,
    write_manifest,
)
from tests.support.profile_elements import element, pin

PATH = StorePath("0" * 32, "zip")

names = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="/\0"), min_size=1, max_size=20
)
plain = names.filter(lambda name: name not in {".", ".."})
# Of a program: what the file system takes, UTF-8 or not.
raw = st.binary(min_size=1, max_size=9).map(lambda name: name.decode("utf-8", "surrogateescape"))
files = raw.filter(lambda name: name not in {".", ".."} and not {"/", "\0"} & set(name))
parts = st.builds(
    ElementPart,
    st.just(PATH),
    st.sampled_from(["", "usr/share"]),
    st.sampled_from(["", "share"]),
    st.integers(0, 9),
)
elements = st.builds(
    ProfileElement,
    name=names,
    kind=st.sampled_from(list(ElementKind)),
    asked=names,
    version=st.text(st.characters(blacklist_categories=["Cs"]), max_size=9),
    size=st.integers(0, 1 << 40),
    parts=st.lists(parts, max_size=3).map(tuple),
    commands=st.lists(plain | files, max_size=3).map(tuple),
    pins=st.lists(st.sampled_from([pin("zip"), pin("unzip", "2:1~rc1")]), max_size=2).map(tuple),
    suites=st.lists(names, max_size=2).map(tuple),
    priority=st.integers(0, 1000),
    pinned=st.booleans(),
    sha256=st.sampled_from(["", "a" * 64]),
)


@given(st.lists(elements, max_size=4))
def test_a_manifest_is_read_as_it_was_written(some: list[ProfileElement]) -> None:
    manifest = manifest_of({one.name: one for one in some})
    assert read_manifest(write_manifest(manifest)) == manifest


def test_the_order_of_installation_leaves_no_trace() -> None:
    one, two = element("a"), element("b")
    forth, back = manifest_of({"a": one, "b": two}), manifest_of({"b": two, "a": one})
    assert write_manifest(forth) == write_manifest(back)


def edited(**fields: object) -> bytes:
    row = json.loads(
        write_manifest(manifest_of({"zip": element("zip", ElementPart(PATH, "usr/share", "share"))}))
    )
    row["elements"][0] |= fields
    return json.dumps(row).encode()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        b'{"format": 2, "elements": []}',
        b'{"format": 1, "elements": 3}',
        b"[" * 100_000,
        b"\xff",
        edited(kind="rpm"),
        edited(commands=["../x"]),
        edited(commands=[".."]),
        edited(commands=["a\0b"]),
        edited(parts=[["0" * 32 + "-zip", "../..", "share", 1]]),
        edited(parts=[["0" * 32 + "-zip", "", "/etc", 1]]),
        edited(parts=[["not an object", "", "", 1]]),
        edited(priority=-1),
        edited(priority=True),
        edited(size="10"),
        edited(name=None),
        edited(pins=[{}]),
    ],
)
def test_a_manifest_from_elsewhere_is_refused_where_it_is_wrong(text: bytes) -> None:
    with pytest.raises(DamagedProfile):
        read_manifest(text)


def test_names_are_distinct_and_sorted() -> None:
    row = json.loads(write_manifest(manifest_of({"a": element("a"), "b": element("b")})))
    for order in ([1, 0], [0, 0]):
        wrong = row | {"elements": [row["elements"][at] for at in order]}
        with pytest.raises(DamagedProfile):
            read_manifest(json.dumps(wrong).encode())
