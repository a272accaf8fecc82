"""The kept provenances of sources: followed while no file changes that decides them, and never after that."""

import os
from pathlib import Path

import pytest

from denizen.app.session import Session
from denizen.app.supply import configured_sources, provenance_cache
from denizen.app.supply.provenance_cache import NAME, KnownSource, known_sources, source_provenances
from tests.support.command_context import context_of

DIRECTORY = "Types: directory\nURIs: {}\n"


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    # Files that were made just now are settled here; one test asks for the true rule.
    monkeypatch.setattr(provenance_cache, "SETTLED", -3600)
    found = context_of({}, str(tmp_path)).session
    os.makedirs(found.paths.index)
    os.makedirs(found.paths.sources)
    return found


def source_file(session: Session, name: str) -> Path:
    return Path(os.fsdecode(session.paths.sources)) / f"{name}.sources"


def kept(session: Session) -> Path:
    return Path(os.fsdecode(os.path.join(session.paths.index, NAME)))


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[Session]:
    """The sessions for which the settings were read."""
    found: list[Session] = []
    real = configured_sources.configured_settings

    def counted(session: Session) -> object:
        found.append(session)
        return real(session)

    monkeypatch.setattr(configured_sources, "configured_settings", counted)
    return found


def test_the_settings_are_read_once_while_they_are_unchanged(
    session: Session, readings: list[Session]
) -> None:
    source_file(session, "mine").write_text(DIRECTORY.format("/debs"))
    first = source_provenances(session)
    assert first["mine"] == "directory  /debs  main"
    assert source_provenances(session) == first
    assert len(readings) == 1


def test_a_source_that_means_other_packages_is_noticed_though_size_and_mtime_stay(session: Session) -> None:
    path = source_file(session, "mine")
    path.write_text(DIRECTORY.format("/one"))
    source_provenances(session)
    facts, other = path.stat(), path.with_name("other")
    other.write_text(DIRECTORY.format("/two"))
    os.utime(other, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    other.rename(path)
    assert source_provenances(session)["mine"] == "directory  /two  main"


def test_sources_that_are_added_and_removed_are_noticed(session: Session) -> None:
    source_provenances(session)
    source_file(session, "mine").write_text(DIRECTORY.format("/debs"))
    assert "mine" in source_provenances(session)
    source_file(session, "mine").unlink()
    assert "mine" not in source_provenances(session)


def test_files_that_changed_just_now_are_read_again(
    session: Session, readings: list[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provenance_cache, "SETTLED", 3600)
    source_file(session, "mine").write_text(DIRECTORY.format("/debs"))
    assert source_provenances(session) == source_provenances(session)
    assert len(readings) == 2
    assert not kept(session).exists()


@pytest.mark.parametrize("cut", [0, 1, 2, 10, -1, -2, -12])
def test_a_damaged_file_is_not_believed(session: Session, readings: list[Session], cut: int) -> None:
    found = source_provenances(session)
    kept(session).write_bytes(kept(session).read_bytes()[:cut])
    assert source_provenances(session) == found
    assert len(readings) == 2


def test_the_answer_for_another_user_is_not_believed(
    session: Session, readings: list[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    source_provenances(session)
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    source_provenances(session)
    assert len(readings) == 2


def test_a_directory_that_cannot_be_written_is_no_error(session: Session) -> None:
    os.rmdir(session.paths.index)
    Path(os.fsdecode(session.paths.index)).write_text("no directory")
    assert "debian" in source_provenances(session)


def test_names_and_suites_are_kept_whatever_characters_they_have(
    session: Session, readings: list[Session]
) -> None:
    source_file(session, "my own\ndebs").write_text(DIRECTORY.format("/debs"))
    found = known_sources(session)
    assert KnownSource("my own\ndebs", "directory  /debs  main", ("my own\ndebs",)) in found
    assert found[0].suites[:1] == ("stable",)
    assert known_sources(session) == found
    assert len(readings) == 1
