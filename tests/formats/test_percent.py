"""Percent-encoding: what the standard library's function makes of every path."""

from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from denizen.formats.percent import percent_encoded


@given(st.binary(max_size=60), st.sampled_from([b"/", b"/+~:", b""]))
def test_it_is_quote(path: bytes, safe: bytes) -> None:
    assert percent_encoded(path, safe) == quote(path, safe=safe.decode())
