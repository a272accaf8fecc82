import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.elf import EnvCall, Malformed, Script
from denizen.elf.script import parse_env, parse_script, split_string
from tests.support.peers import require


@pytest.mark.parametrize(
    ("content", "interpreter", "argument"),
    [
        (b"#!/bin/sh\necho", b"/bin/sh", None),
        (b"#!/bin/sh", b"/bin/sh", None),
        (b"#! \t /bin/sh \t \n", b"/bin/sh", None),
        (b"#!/bin/sh -e -u  \n", b"/bin/sh", b"-e -u"),
        (b"#!/bin/sh\t-e\n", b"/bin/sh", b"-e"),
        (b"#!/bin/sh\r\n", b"/bin/sh\r", None),
        (b"#!/bin/sh\0 -e\n", b"/bin/sh", None),
        (b"#!/bin/sh -e\0 x\n", b"/bin/sh", b"-e"),
        (b"#!sh\n", b"sh", None),
        (b"#!/" + b"x" * 252 + b"\n", b"/" + b"x" * 252, None),
        (b"#!/bin/sh " + b"x" * 300, b"/bin/sh", b"x" * 245),
    ],
)
def test_the_first_line_is_split_as_the_kernel_does(
    content: bytes, interpreter: bytes, argument: bytes | None
) -> None:
    assert parse_script(content) == Script(interpreter, argument, None, cut=len(content) > 300)


@pytest.mark.parametrize(
    "content",
    [b"", b"#", b"#!", b"#!\n", b"#! \t\n", b"# !/bin/sh\n", b"#!/" + b"x" * 300 + b"\n", b"#!" + b" " * 300],
)
def test_what_the_kernel_does_not_take_is_no_script(content: bytes) -> None:
    assert parse_script(content) is None


@pytest.mark.parametrize(
    ("argument", "call"),
    [
        (b"", EnvCall(None, (), ())),
        (b"python3", EnvCall(b"python3", (), ())),
        # Without -S the kernel's one argument is one name, spaces and all.
        (b"python3 -u", EnvCall(b"python3 -u", (), ())),
        (b"-S python3 -u", EnvCall(b"python3", (b"-u",), ())),
        (b"-Spython3 -u", EnvCall(b"python3", (b"-u",), ())),
        (b"-vS python3", EnvCall(b"python3", (), ())),
        (b"--split-string=python3 -u", EnvCall(b"python3", (b"-u",), ())),
        (b"-S A=1 B=2 python3 C=3", EnvCall(b"python3", (b"C=3",), (b"A=1", b"B=2"))),
        (b"-S -i -u HOME -C /tmp python3", EnvCall(b"python3", (), ())),
        (b"-S -- -odd", EnvCall(b"-odd", (), ())),
        (b"-S A=1", EnvCall(None, (), (b"A=1",))),
    ],
)
def test_env_runs_the_first_word_that_is_no_option_or_assignment(argument: bytes, call: EnvCall) -> None:
    assert parse_env(argument) == call


def test_only_the_env_command_is_taken_for_env() -> None:
    found = parse_script(b"#!/usr/bin/env perl\n")
    assert found is not None
    assert found.env == EnvCall(b"perl", (), ())
    other = parse_script(b"#!/usr/bin/myenv perl\n")
    assert other is not None
    assert other.env is None


SPLITS = [
    (b"a b\tc", [b"a", b"b", b"c"]),
    (b"'a b' \"c d\"e", [b"a b", b"c de"]),
    (b"'' x", [b"", b"x"]),
    (rb"a\_b c\tc", [b"a", b"b", b"c\tc"]),
    (rb'"a\_b"', [b"a b"]),
    (rb"'a\tb' 'it\'s'", [rb"a\tb", b"it's"]),
    (b"a # comment", [b"a"]),
    (b"a#b", [b"a#b"]),
    (rb"a\c ignored", [b"a"]),
    (rb"\# \$ \\", [b"#", b"$", b"\\"]),
]


@pytest.mark.parametrize(("string", "words"), SPLITS)
def test_split_string_follows_its_manual(string: bytes, words: list[bytes]) -> None:
    assert split_string(string) == words


@pytest.mark.peer
@pytest.mark.parametrize(("string", "words"), SPLITS)
def test_split_string_does_as_env_does(string: bytes, words: list[bytes], tmp_path: Path) -> None:
    require("env")
    show = tmp_path / "show"
    show.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    show.chmod(0o755)
    command = [b"env", b"-S./show " + string]
    out = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    assert out.stdout.removesuffix(b"\n").split(b"\n") == words


@pytest.mark.parametrize("string", [b"'open", b'"open', rb"\q", b"a\\", rb'"a\c"'])
def test_what_env_refuses_is_malformed(string: bytes) -> None:
    with pytest.raises(Malformed):
        split_string(string)


@given(st.lists(st.binary(min_size=1, max_size=8).filter(lambda w: not set(w) & set(b"\0")), max_size=5))
def test_quoted_words_come_back_as_they_were(words: list[bytes]) -> None:
    quoted = (b"'" + word.replace(b"\\", b"\\\\").replace(b"'", b"\\'") + b"'" for word in words)
    assert split_string(b" ".join(quoted)) == words
