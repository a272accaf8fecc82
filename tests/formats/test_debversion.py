import random
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denizen.formats.debversion import version_key
from tests.support.peers import require

ASCENDING = [
    b"0~", b"0", b"0a",
    b"1~~", b"1~~a", b"1~", b"1", b"1.0~rc1-1", b"1.0-1", b"1.0-1+b1", b"1.0-1+deb12u1", b"1.0-2",
    b"1.0a-1", b"1.0+dfsg-1", b"1.2-1", b"1.10-1", b"2024-1", b"1:0.1-1", b"2:0-1",
]  # fmt: skip
SHUFFLED = random.Random(3).sample(ASCENDING, len(ASCENDING))


def test_versions_sort_by_policy() -> None:
    assert sorted(SHUFFLED, key=version_key) == ASCENDING


def test_leading_zeros_and_a_revision_of_zero_change_nothing() -> None:
    assert version_key(b"1.01-0") == version_key(b"1.1")
    assert version_key(b"0:1.1") == version_key(b"1.1")


def test_numbers_of_any_length_have_an_order() -> None:
    # Python's int() refuses decimal numbers of over 4300 digits.
    assert version_key(b"1." + b"9" * 5000) < version_key(b"1.1" + b"0" * 5000)


@pytest.mark.peer
@pytest.mark.slow
@settings(max_examples=60)
@given(*[st.from_regex(r"\A[0-9][0-9a-zA-Z.+~]{0,6}(-[0-9a-z.+~]{1,4})?\Z")] * 2)
def test_dpkg_agrees(left: str, right: str) -> None:
    require("dpkg")
    ours = (version_key(left.encode()), version_key(right.encode()))
    theirs = subprocess.run(["dpkg", "--compare-versions", left, "lt", right], check=False).returncode == 0
    assert (ours[0] < ours[1]) == theirs
