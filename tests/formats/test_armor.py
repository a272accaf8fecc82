import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.formats.armor import BEGIN, END, BadArmor, binary_keys


def armored(content: bytes, header: bytes = b"") -> bytes:
    return BEGIN + b"\n" + header + b"\n" + base64.encodebytes(content) + b"=AbCd\n" + END + b"\n"


@given(st.binary(min_size=1, max_size=200), st.binary(min_size=1, max_size=50))
def test_blocks_are_decoded_and_joined(first: bytes, second: bytes) -> None:
    text = b"prose\n" + armored(first) + b"more prose\n" + armored(second, b"Comment: x\n")
    assert binary_keys(text) == first + second


def test_a_binary_keyring_is_left_as_it_is() -> None:
    assert binary_keys(b"\x99\x01\x0d\x04") == b"\x99\x01\x0d\x04"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (BEGIN + b"\n\nAAAA\n", "no end"),
        (BEGIN + b"\nComment: x\n" + END, "no blank line"),
        (BEGIN + b"\n\nA!AA\n" + END, "."),
    ],
)
def test_a_broken_block_is_refused(text: bytes, problem: str) -> None:
    with pytest.raises(BadArmor, match=problem):
        binary_keys(text)
