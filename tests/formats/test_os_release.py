import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.formats.os_release import os_release


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (b"ID=debian", b"debian"),
        (b'ID="debian"', b"debian"),
        (b"ID='debian' ", b"debian"),
        (b'ID="a \\"b\\" \\$c \\\\"', b'a "b" $c \\'),
        (b"ID=", b""),
        (b'ID=""', b""),
    ],
)
def test_values_are_quoted_as_in_a_shell(line: bytes, value: bytes) -> None:
    assert os_release(b"# a comment\n\n" + line + b"\n") == {b"ID": value}


@pytest.mark.parametrize("line", [b"#ID=x", b"id=x", b'ID="x', b"ID=x y", b"ID", b'ID="x"y'])
def test_other_lines_are_passed_over(line: bytes) -> None:
    assert os_release(line + b"\nNAME=y") == {b"NAME": b"y"}


@given(st.binary())
def test_any_bytes_are_read(content: bytes) -> None:
    os_release(content)
