"""Compiled Python with strings of another length: CPython reads what comes out."""

import importlib.util
import marshal
from collections.abc import Callable
from types import CodeType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.bytesio import Truncated
from denizen.formats.pyc import BadPyc, is_pyc, with_strings

HEAD = importlib.util.MAGIC_NUMBER + bytes(12)
SOURCE = """
import os as system
class Thing(dict):
    'marker in a docstring'
    def method(self, *, first='marker', second=b'marker', third=1 << 90, fourth=2.5, fifth=3j):
        def inner(): return first, self, {'marker': -1}, frozenset({'marker'}), ..., None, True
        return inner
def generator():
    try:
        yield from (x for x in 'marker')
    finally:
        print(f'{system}marker{1!r}')
"""


def change(new: bytes) -> Callable[[bytes], bytes]:
    return lambda text: text.replace(b"marker", new)


def back(new: bytes) -> Callable[[bytes], bytes]:
    return lambda text: text.replace(new, b"marker")


@pytest.mark.parametrize("new", [b"m", b"longer than it was", b"x" * 300, "größer".encode()])
def test_every_string_is_changed_as_the_source_would_be(new: bytes) -> None:
    code = compile(SOURCE, "marker.py", "exec")
    made = with_strings(HEAD + marshal.dumps(code), change(new))
    text = new.decode()
    if new.isascii():
        expected = compile(SOURCE.replace("marker", text), f"{text}.py", "exec")
        # Not compared by bytes: marshal refers back to objects that happen to be shared.
        assert _shape(marshal.loads(made[16:])) == _shape(expected)
    assert marshal.loads(made[16:]).co_filename == f"{text}.py"
    assert with_strings(made, lambda one: one) == made


def _shape(code: object) -> object:
    if not isinstance(code, CodeType):
        return code
    fields = (code.co_code, code.co_names, code.co_filename, code.co_name, code.co_firstlineno)
    return (*fields, tuple(_shape(one) for one in code.co_consts))


def test_changed_back_it_has_the_same_bytes() -> None:
    data = HEAD + marshal.dumps(compile(SOURCE, "marker.py", "exec"))
    for new in (b"there", b"y" * 300):
        there = with_strings(data, change(new))
        assert with_strings(there, back(new)) == data


values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.complex_numbers(allow_nan=False),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(), inner)
        | st.frozensets(st.text())
    ),
    max_leaves=20,
)


@given(values)
def test_all_that_marshal_writes_is_walked(item: Any) -> None:
    data = HEAD + marshal.dumps(item)
    assert with_strings(data, lambda text: text) == data


def test_what_is_cut_short_or_unknown_is_refused() -> None:
    data = HEAD + marshal.dumps(("a", "b"))
    with pytest.raises(Truncated):
        with_strings(data[:-1], lambda text: text)
    with pytest.raises(BadPyc):
        with_strings(HEAD + b"q", lambda text: text)
    with pytest.raises(BadPyc):
        with_strings(HEAD + b"(\xff\xff\xff\x7f", lambda text: text)
    assert not is_pyc(b"\x7fELF" + bytes(20))
