"""What a glob over the paths of an archive matches."""

import fnmatch
import re

from hypothesis import given
from hypothesis import strategies as st

from denizen.index.path_glob import expression, is_glob, longest_literal


def test_what_is_a_glob() -> None:
    assert [is_glob(text) for text in (b"a", b"a*", b"a?", b"[ab]", b"a[", b"/x/**/y")] == [
        False, True, True, True, False, True,
    ]  # fmt: skip


def test_the_longest_literal_is_what_is_searched_for() -> None:
    assert longest_literal(b"lib*png[0-9]?.so") == b"lib"
    assert longest_literal(b"a*bcd") == b"bcd"
    assert longest_literal(b"*") == b""


@given(st.text("ab*?[]!-", max_size=8), st.text("ab[]!-", max_size=6))
def test_within_one_component_a_glob_means_what_fnmatch_says(glob: str, name: str) -> None:
    ours = re.fullmatch(expression(glob.encode()), name.encode()) is not None
    assert ours == fnmatch.fnmatchcase(name, glob)
