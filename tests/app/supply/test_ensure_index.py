"""A first update: which indexes are missing is told without opening a source."""

import os

import pytest

from denizen.app.session import Session
from denizen.app.supply import configured_sources
from denizen.app.supply.ensure_index import NotAnArchitecture, NotASuite, ensure, targets_of
from denizen.formats.percent import path_as_word
from denizen.index.index_manifest import IndexEntry, write_manifest
from denizen.sources.base import Scope
from denizen.sources.fetch_policy import FetchPolicy
from tests.support.command_context import context_of

SOURCE = "Types: deb\nURIs: http://archive.test/debian\nSuites: one two\nComponents: main\nSigned-By: {}\n"
PROVENANCE = "deb  http://archive.test/debian  main"


class SourcesOpenedError(Exception):
    """Raised in place of opening the sources."""


@pytest.fixture
def session(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> Session:
    found = context_of({}, str(tmp_path)).session
    os.makedirs(found.paths.index)
    os.makedirs(found.paths.sources)
    keys = os.path.join(os.fsdecode(found.paths.sources), "keys.gpg")
    with open(keys, "wb") as stream:
        stream.write(b"\x99")
    place = os.path.join(os.fsdecode(found.paths.sources), "mine.sources")
    with open(place, "w", encoding="ascii") as text:
        text.write(SOURCE.format(path_as_word(os.fsencode(keys))))

    def opened(*_: object) -> None:
        raise SourcesOpenedError

    monkeypatch.setattr(configured_sources, "configured_sources", opened)
    return found


def entry(suite: str, *, paths: str = "", provenance: str = PROVENANCE) -> IndexEntry:
    return IndexEntry("mine", (suite,), f"{suite}-codename", "amd64", 0, "1", 1, 1, "x", paths, provenance)


def ensured(session: Session, suites: tuple[str, ...], scope: Scope, *held: IndexEntry) -> bool:
    """Whether no source was opened."""
    write_manifest(session.paths.index, held)
    try:
        return ensure(session, suites, "amd64", scope, FetchPolicy(offline=True)) == {}
    except SourcesOpenedError:
        return False


def test_no_source_is_opened_while_every_index_is_there(session: Session) -> None:
    assert ensured(session, ("one",), Scope.LIBRARIES, entry("one"))
    assert ensured(session, ("one", "two"), Scope.LIBRARIES, entry("one"), entry("two"))
    assert ensured(session, ("one",), Scope.PATHS, entry("one", paths="p"))


def test_the_sources_are_opened_for_an_index_that_is_missing_or_another_sources(session: Session) -> None:
    assert not ensured(session, ("one",), Scope.LIBRARIES)
    assert not ensured(session, ("one", "two"), Scope.LIBRARIES, entry("one"))
    assert not ensured(session, ("one",), Scope.PATHS, entry("one"))
    assert not ensured(session, ("one",), Scope.LIBRARIES, entry("one", provenance="deb  other  main"))
    # A suite that no source lists is asked of the first, which is Debian's archive.
    assert not ensured(session, ("one", "three"), Scope.LIBRARIES, entry("one"))


@pytest.mark.parametrize("name", ["", " ", "..", "a/../b", "/etc", "a/", "-x", "a\nb", "\x1b[31m", "\udcff"])
def test_a_word_that_is_no_name_of_a_suite_is_refused_before_anything_is_asked_for(name: str) -> None:
    with pytest.raises(NotASuite, match="is not the name of a suite"):
        targets_of([], ("trixie", name), ("amd64",), Scope.LIBRARIES)


@pytest.mark.parametrize("name", ["trixie", "bookworm-backports", "bookworm/updates", "jammy_2", "1.0~rc+x"])
def test_names_of_suites_are_what_archives_have(name: str) -> None:
    assert targets_of([], (name,), ("amd64",), Scope.LIBRARIES) == []


@pytest.mark.parametrize("name", ["", "x86_64", "../amd64", "amd64 ", "\x1b[31m"])
def test_a_word_that_is_no_name_of_an_architecture_is_refused(name: str) -> None:
    with pytest.raises(NotAnArchitecture, match="is not the name of an architecture"):
        targets_of([], (), (name,), Scope.LIBRARIES)
