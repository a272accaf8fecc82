import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.fhs.project_environment import BadProject
from denizen.formats.toml_file import (
    MAX_KEY_PARTS,
    MAX_PROPOSALS,
    MAX_SIZE,
    BadTomlFile,
    parse_toml,
    unknown_keys,
)
from denizen.profiles.project_profile import BadProfileTable
from denizen.recipes.project_develop import BadDevelopTable
from denizen.recipes.recipe import BadRecipe
from denizen.system.spec_reader import BadSystemSpec


def problem_of(text: bytes, max_size: int = MAX_SIZE) -> str:
    with pytest.raises(BadTomlFile) as caught:
        parse_toml(text, "a.toml", BadTomlFile, max_size)
    return caught.value.why


@pytest.mark.parametrize("part", [b"a", b'"="', b'"a.b"', b"'{,}'", b'"\\".\\""', b"a ", b" \t'x'\t"])
@pytest.mark.parametrize("around", [b"%s = 1", b"[%s]", b"[[%s]]", b"x = { %s = 1 }", b"x = [\n{ %s = 1 }]"])
def test_a_key_of_many_parts_never_reaches_the_parser(part: bytes, around: bytes) -> None:
    assert "parts" in problem_of(around % b".".join([part] * (MAX_KEY_PARTS + 1)))
    parse_toml(b"x.y = 1", "a.toml", BadTomlFile)


@pytest.mark.parametrize(
    "text",
    [
        b"a = '" + b"x." * 1000 + b"'",
        b'a = "' + b"x." * 1000 + b'"',
        b"a = [" + b"1.5, " * 1000 + b"]",
        b"".join(b"a%d.b = 1\n" % number for number in range(1000)),
    ],
    ids=["literal", "basic", "numbers", "short keys"],
)
def test_dots_that_are_in_no_key_do_not_count(text: bytes) -> None:
    assert parse_toml(text, "a.toml", BadTomlFile) == tomllib.loads(text.decode())


def test_a_file_that_is_too_large_is_not_parsed() -> None:
    assert problem_of(b"a = 1" + b" " * 2048, 2048) == "it is larger than 2 KiB"


@given(st.text(st.sampled_from("ab.='\"\\#{}[],\n ")))
def test_what_is_no_toml_is_refused_and_the_rest_is_what_tomllib_reads(text: str) -> None:
    try:
        expected = tomllib.loads(text)
    except ValueError:
        assert problem_of(text.encode())
    else:
        assert parse_toml(text.encode(), "a.toml", BadTomlFile) == expected


@pytest.mark.parametrize("error", [BadDevelopTable, BadProfileTable, BadProject, BadRecipe, BadSystemSpec])
def test_the_remedy_is_an_example_that_can_be_copied(error: type[BadTomlFile]) -> None:
    told = error("a.toml", ("one", "two"))
    assert told.why == "one\ntwo"
    said, _, example = told.remedy.partition(":\n")
    assert "such as this" in said
    assert tomllib.loads(example)


def test_an_unknown_key_is_told_with_the_one_that_may_be_meant() -> None:
    found = unknown_keys({"siute": 1, "colour": 2, "name": 3, "a\x1bb": 4}, ("name", "suite"), " in [x]")
    assert list(found) == [
        "there is no key 'siute' in [x]; is suite meant?",
        "there is no key 'colour' in [x]; there are name, suite",
        r"there is no key 'a\\x1bb' in [x]; there are name, suite",
    ]


def test_proposals_are_made_for_the_first_unknown_keys_alone() -> None:
    found = list(unknown_keys(["siute"] * (MAX_PROPOSALS + 1), ["suite"]))
    assert [problem.endswith("is suite meant?") for problem in found] == [True] * MAX_PROPOSALS + [False]
