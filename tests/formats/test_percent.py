"""Percent-encoding: what the standard library's function makes of every path."""

from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from denizen.formats.percent import encoded_as_word, path_as_word, percent_encoded
from denizen.sources.transport import file_path


@given(st.binary(max_size=60), st.sampled_from([b"/", b"/+~:", b""]))
def test_it_is_quote(path: bytes, safe: bytes) -> None:
    assert percent_encoded(path, safe) == quote(path, safe=safe.decode())


@given(st.binary(max_size=60))
def test_a_path_is_one_word_that_names_it(rest: bytes) -> None:
    word = path_as_word(b"/" + rest)
    assert word.isascii()
    assert word.isprintable()
    assert " " not in word
    assert (file_path(word) if word.startswith("file:") else word.encode()) == b"/" + rest


def test_an_address_keeps_its_own_encoding() -> None:
    assert encoded_as_word(b"http://a.test/x%20y?z") == "http://a.test/x%20y?z"
    assert encoded_as_word("file:/a b/ü\n".encode()) == "file:/a%20b/%C3%BC%0A"
