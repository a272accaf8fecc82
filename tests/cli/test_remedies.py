"""Remedies say the commands with the root and the profile that the caller chose."""

import os
import shlex
from pathlib import Path

import pytest

from denizen.cli.dispatch import TABLE, commands_of, dispatch
from denizen.cli.remedies import OF_PROFILES, OF_TARGETS, as_typed

COMMANDS = [row.word for row in TABLE]


@pytest.mark.parametrize(
    ("remedy", "options", "typed"),
    [
        ("denizen profile history", ["--profile e"], "denizen profile history --profile e"),
        ("denizen profile list", ["--profile e"], "denizen profile list"),
        ("denizen list shows what is", ["--system"], "denizen list --system shows what is"),
        (
            "denizen install -P 4 a; or denizen remove b",
            ["--root '/b'", "--profile e"],
            "denizen --root '/b' install --profile e -P 4 a; or denizen --root '/b' remove --profile e b",
        ),
        ("denizen does not, denizen gc does", ["--root /r"], "denizen does not, denizen --root /r gc does"),
        ("denizen install --profile x a", ["--profile e"], "denizen install --profile x a"),
        ("as denizen-enter", ["--root /r"], "as denizen-enter"),
        ("denizen profile rollback goes back", [], "denizen profile rollback goes back"),
    ],
)
def test_a_command_gets_the_options_that_it_has(remedy: str, options: list[str], typed: str) -> None:
    assert as_typed(remedy, options, COMMANDS) == typed


@pytest.mark.parametrize(("option", "known"), [("--profile", OF_PROFILES), ("--target", OF_TARGETS)])
def test_the_commands_with_an_option_are_known(option: str, known: frozenset[str]) -> None:
    having = {
        " ".join(command.words)
        for row in TABLE
        for command in commands_of(row)
        if any(option in one.names for one in command.options)
    }
    assert having == known


def test_an_error_about_a_profile_names_it_in_its_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = os.fspath(tmp_path / "a root")
    assert dispatch(["--root", root, "profile", "switch", "99", "--profile", "none"]) != 0
    assert f"denizen --root '{root}' install --profile none NAME" in capsys.readouterr().err


def test_an_error_about_a_target_names_it_in_its_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dispatch(["system", "rollback", "--target", os.fspath(tmp_path)]) != 0
    assert f"denizen system switch --target {shlex.quote(str(tmp_path))} SPEC.toml" in capsys.readouterr().err


def test_a_root_with_an_escape_sequence_is_shown_without_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dispatch(["--root", f"{tmp_path}/a\x1b[31m", "gc"]) != 0
    told = capsys.readouterr().err
    assert "\x1b" not in told
    assert f"denizen --root $'{tmp_path}/a\\033[31m' store add" in told
