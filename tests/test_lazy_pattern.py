"""Regular expressions that are compiled at their first use."""

import subprocess
import sys

import pytest

from denizen.lazy_pattern import pattern


def test_a_pattern_is_used_as_a_compiled_one() -> None:
    word = pattern(r"(?P<first>\w)\w*")
    found = word.match("abc d")
    assert found is not None
    assert found["first"] == "a"
    assert word.findall("abc d") == ["a", "d"]
    assert word.sub("x", "abc d") == "x x"
    assert word.pattern == r"(?P<first>\w)\w*"
    assert pattern(rb"(?s)a.b").fullmatch(b"a\nb")


def test_an_unknown_attribute_is_an_error() -> None:
    with pytest.raises(AttributeError):
        _ = pattern("a").nothing  # type: ignore[attr-defined]  # that is what is tested


def test_an_expression_that_is_not_used_imports_nothing() -> None:
    code = "import sys; from denizen.lazy_pattern import pattern; one = pattern('a'); "
    code += "print('re' in sys.modules); one.match('a'); print('re' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["False", "True"]
