import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.formats.deb822 import BadControl, paragraphs


def test_paragraphs_are_separated_by_blank_lines_and_comments_are_nothing() -> None:
    text = b"\n# a comment\nOne: 1\n# inside\nTwo:   2  \n\n \nThree: 3"
    assert list(paragraphs(text)) == [{b"one": b"1", b"two": b"2"}, {b"three": b"3"}]


def test_continuation_lines_join_and_a_lone_dot_is_an_empty_line() -> None:
    (found,) = paragraphs(b"Text: a\n b\n .\n\tc\n")
    assert found == {b"text": b"a\nb\n\nc"}


def test_lines_may_end_as_on_other_systems() -> None:
    assert list(paragraphs(b"A: 1\r\n\r\nB: 2\r\n")) == [{b"a": b"1"}, {b"b": b"2"}]


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        (b" first\n", 1, "continues a field that was never begun"),
        (b"A: 1\n\n more\n", 3, "continues a field that was never begun"),
        (b"A: 1\na: 2\n", 2, "the same field twice"),
        (b"no colon\n", 1, "neither a field, a continuation nor a comment"),
        (b": no name\n", 1, "neither a field, a continuation nor a comment"),
        (b"-A: 1\n", 1, "neither a field, a continuation nor a comment"),
        (b"A B: 1\n", 1, "neither a field, a continuation nor a comment"),
    ],
)
def test_what_breaks_the_grammar_is_refused_with_its_line(text: bytes, line: int, problem: str) -> None:
    with pytest.raises(BadControl) as caught:
        list(paragraphs(text))
    assert (caught.value.line, caught.value.problem) == (line, problem)


def test_a_paragraph_of_too_many_fields_is_refused() -> None:
    with pytest.raises(BadControl, match="too many fields"):
        list(paragraphs(b"".join(b"F%d: x\n" % number for number in range(1001))))


@given(st.binary(max_size=300))
def test_any_bytes_are_paragraphs_or_refused(text: bytes) -> None:
    try:
        found = list(paragraphs(text))
    except BadControl:
        return
    assert all(paragraph for paragraph in found)
