"""What programs want besides libraries: scripts by their first line, others by rule."""

import tomllib
from pathlib import Path

import pytest

from denizen.elf.script import parse_script
from denizen.fileview import MemoryView
from denizen.launch.fhs_rules import RULES, EnvironmentRule, rules_in, wants_of

RULE = EnvironmentRule(
    ("bazel", "bazelisk*"), (b"/etc/passwd", b"/bin/bash"), ("bash",), "asks who the user is"
)
PATH = (b"/usr/local/bin", b"/usr/bin")


def test_nothing_is_wanted_where_all_is_there() -> None:
    found = wants_of(MemoryView({b"/etc/passwd": b"", b"/bin/bash": b""}), b"/x/bazel", None, PATH, [RULE])
    assert not found.packages
    assert not found.reasons


@pytest.mark.parametrize("name", [b"/x/bazel", b"/x/bazelisk-linux-amd64"])
def test_a_rule_counts_where_one_path_is_missing_and_says_which(name: bytes) -> None:
    found = wants_of(MemoryView({b"/bin/bash": b""}), name, None, PATH, [RULE])
    assert found.packages == ("bash",)
    assert found.reasons == ("asks who the user is; /etc/passwd is not here",)


def test_a_rule_is_about_its_programs_alone() -> None:
    assert not wants_of(MemoryView({}), b"/x/bazel-like", None, PATH, [RULE]).reasons


@pytest.mark.parametrize(
    ("line", "files", "paths"),
    [
        (b"#!/usr/bin/lua\n", {}, (b"/usr/bin/lua",)),
        (b"#!/usr/bin/lua\n", {b"/usr/bin/lua": b""}, ()),
        (b"#!/usr/bin/env python3\n", {}, (b"/usr/bin/env", b"/usr/bin/python3")),
        (b"#!/usr/bin/env python3\n", {b"/usr/bin/env": b""}, (b"/usr/bin/python3",)),
        (b"#!/usr/bin/env python3\n", {b"/usr/bin/env": b"", b"/usr/local/bin/python3": b""}, ()),
        (b"#!/usr/bin/env -S python3 -u\n", {b"/usr/bin/env": b""}, (b"/usr/bin/python3",)),
        (b"#!relative\n", {}, ()),
    ],
)
def test_a_script_wants_what_its_first_line_names(
    line: bytes, files: dict[bytes, bytes], paths: tuple[bytes, ...]
) -> None:
    found = wants_of(MemoryView(files), b"/x/script", parse_script(line), PATH, [])
    assert found.paths == paths
    assert len(found.reasons) == len(paths)


def test_a_script_wants_what_the_script_names_that_is_its_interpreter() -> None:
    files = {b"/x/outer": b"#!/x/inner\n", b"/x/inner": b"#!/usr/bin/env lua\n", b"/usr/bin/env": b""}
    found = wants_of(MemoryView(files), b"/x/outer", parse_script(files[b"/x/outer"]), PATH, [])
    assert found.paths == (b"/usr/bin/lua",)
    assert found.reasons == ("the first line of /x/inner asks for lua, which is not here",)


def test_scripts_that_are_each_others_interpreters_want_nothing() -> None:
    files = {b"/x/one": b"#!/x/two\n", b"/x/two": b"#!/x/one\n"}
    assert not wants_of(MemoryView(files), b"/x/one", parse_script(files[b"/x/one"]), PATH, []).paths


def test_the_shipped_rules_are_rules_with_reasons() -> None:
    for rule in rules_in(tomllib.loads(Path(RULES).read_text())):
        assert rule.programs
        assert rule.paths
        assert all(path.startswith(b"/") for path in rule.paths)
        assert rule.reason


@pytest.mark.parametrize("line", [b"#!/usr/bin/env ./inner\n", b"#!./inner\n"])
def test_a_relative_interpreter_is_followed_from_the_working_directory(line: bytes) -> None:
    files = {b"/proc/self/cwd/inner": b"#!/usr/bin/lua\n", b"/usr/bin/env": b""}
    assert wants_of(MemoryView(files), b"/x/outer", parse_script(line), PATH, []).paths == (b"/usr/bin/lua",)
