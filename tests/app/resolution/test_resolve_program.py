"""Which suites are asked before it is said that nobody has a library."""

import os
import shutil
from pathlib import Path

import pytest

from denizen.app.resolution import resolve_program
from denizen.sources.fetch_policy import FetchPolicy
from tests.support.command_context import context_of
from tests.support.offline_roots import DenizenHome


@pytest.fixture
def home(tmp_path: Path) -> DenizenHome:
    """Here libgreet.so.1 is in a suite called unstable alone."""
    made = DenizenHome(tmp_path)
    unreleased = tmp_path / "unreleased"
    unreleased.mkdir()
    for package in made.debs.glob("libgreet1_*.deb"):
        shutil.move(package, unreleased)
    made.denizen("source", "add", "unstable", os.fspath(unreleased), "--directory")
    return made


def test_a_library_that_only_an_unreleased_suite_has_is_found_with_nothing_indexed(home: DenizenHome) -> None:
    program = home.compile("program")
    done = home.denizen("run", os.fspath(program))
    assert done.stdout.startswith("hello from the store")


def test_what_nobody_has_is_said_of_the_suites_that_were_asked(home: DenizenHome) -> None:
    home.denizen("source", "remove", "unstable")
    program = home.compile("program")
    done = home.denizen("why", os.fspath(program), status=None)
    assert "no package of debian has it" in done.stdout + done.stderr
    assert "any suite" not in done.stdout + done.stderr


def test_a_suite_that_cannot_be_had_does_not_keep_the_others_from_being_asked(home: DenizenHome) -> None:
    home.denizen("source", "add", "gone", os.fspath(home.root / "nowhere"), "--directory")
    program = home.compile("program")
    done = home.denizen("run", os.fspath(program))
    assert done.stdout.startswith("hello from the store")
    assert "going on without gone: " in done.stderr


def test_the_base_suite_too_may_be_the_one_that_cannot_be_had(home: DenizenHome, tmp_path: Path) -> None:
    home.debs.rename(tmp_path / "here")
    home.denizen("source", "add", "other", os.fspath(tmp_path / "here"), "--directory")
    program = home.compile("program")
    assert home.denizen("run", os.fspath(program)).stdout.startswith("hello from the store")


def test_a_program_of_the_hosts_distribution_gets_libraries_of_its_own_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may want exactly those, as sqlite3 does; not with another's, nor where suites are named."""
    home = DenizenHome(tmp_path)
    older = tmp_path / "older"
    shutil.copytree(home.debs, older)
    home.write("extra", [])
    home.denizen("source", "add", "older", os.fspath(older), "--directory")
    program = os.fsencode(home.compile("program"))
    session = context_of(os.environ, os.fspath(home.root), verbosity=-1).session

    def suites(of: str, *asked: str) -> set[str]:
        monkeypatch.setattr(resolve_program, "_own_release", lambda _session, _path: of)
        found = resolve_program.resolve_path(session, program, FetchPolicy(), asked)
        return {package.suite for package in found.packages}

    assert suites("") == {"debian"}
    assert suites("older") == {"older"}
    assert suites("older", "debian") == {"debian"}
