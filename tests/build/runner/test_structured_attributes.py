import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.build.runner.structured_attributes import (
    BadAttributes,
    attribute_files,
    attributes_of,
    compact,
    shell_declarations,
)
from denizen.formats.aterm import Derivation

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text() | st.floats(-1e14, 1e14),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def read(text: bytes) -> object:
    return attributes_of(Derivation({}, {}, (), b"", b"", (), {b"__json": text}), "x")


@given(st.dictionaries(st.text(), values, max_size=4))
def test_what_is_written_is_the_json_that_was_meant(attributes: dict[str, object]) -> None:
    text = compact(attributes)
    assert json.loads(text) == attributes
    assert text == json.dumps(attributes, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert read(text.encode()) == attributes


def test_outputs_are_added() -> None:
    files = attribute_files({"a": 1}, {"out": "/nix/store/x"})
    assert files[b".attrs.json"] == b'{"a":1,"outputs":{"out":"/nix/store/x"}}'
    assert files[b".attrs.sh"] == b"declare a=1\ndeclare -A outputs=(['out']='/nix/store/x' )\n"


@pytest.mark.parametrize(
    ("item", "line"),
    [
        ("it's", "declare x='it'\\''s'\n"),
        (None, "declare x=''\n"),
        (True, "declare x=1\n"),
        (False, "declare x=\n"),
        (2.0, "declare x=2\n"),
        (3_000_000_000, "declare x=-1294967296\n"),
        (1.5, ""),
        ([1, "a b", None], "declare -a x=(1 'a b' '' )\n"),
        ([[1]], ""),
        ({"k": [1]}, ""),
        ({}, "declare -A x=()\n"),
    ],
)
def test_a_value_has_the_form_that_nix_gives_it_for_bash(item: object, line: str) -> None:
    assert shell_declarations({"x": item}) == line


def test_names_that_are_no_variables_are_left_out() -> None:
    assert shell_declarations({"a-b": 1, "1": 2, "": 3, "a\n": 4, "_ok1": 5}) == "declare _ok1=5\n"


@pytest.mark.parametrize(
    "text",
    [b"[]", b"{", b"\xff", b'{"a":NaN}', b'{"a":1e999}', b'{"a":"\\ud800"}', b'{"a":' * 500, b"[" * 500_000],
)
def test_what_is_no_attributes_is_refused(text: bytes) -> None:
    with pytest.raises(BadAttributes):
        read(text)


def test_large_numbers_are_written_as_nix_writes_them() -> None:
    assert (
        compact([1e15, -1.5e16, 1e100, 123456789012345680.0])
        == "[1e+15,-1.5e+16,1e+100,1.2345678901234568e+17]"
    )
    assert read(b'{"a":100000000000000000000}') == {"a": 1e20}
