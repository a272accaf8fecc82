"""The reader and the compact writer of JSON, beside Python's own."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.formats.compact_json import compact_json, parse_json

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
_DOCUMENTS = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)


@given(_DOCUMENTS, st.sampled_from([None, 1, 2]))
def test_what_python_writes_is_read(content: object, indent: int | None) -> None:
    text = json.dumps(content, indent=indent)
    assert parse_json(f" \n{text}\t\r") == json.loads(text)


@given(_DOCUMENTS.filter(lambda content: not _has_infinity(content)))
def test_compact_text_is_pythons_byte_for_byte(content: object) -> None:
    assert compact_json(content) == json.dumps(content, separators=(",", ":"))


def _has_infinity(content: object) -> bool:
    if isinstance(content, list | dict):
        return any(map(_has_infinity, content.values() if isinstance(content, dict) else content))
    return isinstance(content, float) and math.isinf(content)


@given(st.text() | st.text('[]{}:,"\\0123.eEtrufalsn \n'))
def test_text_is_refused_or_read_as_python_does(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(ValueError):  # noqa: PT011  # the message is Python's
            parse_json(text)
        return
    assert repr(parse_json(text)) == repr(expected)


@pytest.mark.parametrize("text", ["", " ", "{", "[1,]", "1 2", '"\n"', "tru", "{1: 2}"])
def test_a_malformed_document_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # the message is Python's
        parse_json(text)


def test_deep_nesting_ends_in_a_recursion_error() -> None:
    with pytest.raises(RecursionError):
        parse_json("[" * 1_000_000)
