"""The lock under which a program is decided about."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from denizen.app.decisions.decision_lock import deciding_alone


@pytest.fixture
def program(tmp_path: Path) -> Path:
    made = tmp_path / "program"
    made.write_bytes(b"")
    return made


def test_nobody_else_decides_about_the_same_file_meanwhile(tmp_path: Path, program: Path) -> None:
    other = tmp_path / "other-name"
    other.hardlink_to(program)
    with deciding_alone(bytes(tmp_path / "state"), bytes(program)):
        (lock,) = (tmp_path / "state" / "locks").iterdir()
        with lock.open("wb") as stream, pytest.raises(BlockingIOError):
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with deciding_alone(bytes(tmp_path / "state"), bytes(other)):
        assert [*(tmp_path / "state" / "locks").iterdir()] == [lock]


def test_where_nothing_can_be_written_nothing_is_waited_for(
    tmp_path: Path, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: bytes, mode: int) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), path, mode)

    monkeypatch.setattr("denizen.disk.make_directories", refuse)
    with deciding_alone(bytes(tmp_path / "state"), bytes(program)):
        assert not (tmp_path / "state").exists()


def test_on_a_file_system_without_locks_nobody_waits(
    tmp_path: Path, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object, __: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with deciding_alone(bytes(tmp_path / "state"), bytes(program)):
        assert (tmp_path / "state" / "locks").is_dir()


@pytest.mark.parametrize("state", ["program/state", "/proc/state"])
def test_where_no_directory_can_be_nothing_is_waited_for(tmp_path: Path, program: Path, state: str) -> None:
    with deciding_alone(bytes(tmp_path / state), bytes(program)):
        assert not (tmp_path / state).exists()


def test_other_errors_are_told(tmp_path: Path, program: Path) -> None:
    (tmp_path / "state").write_bytes(b"a file")
    with pytest.raises(FileExistsError), deciding_alone(bytes(tmp_path / "state"), bytes(program)):
        pass


def test_a_program_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), deciding_alone(bytes(tmp_path), b"/nonexistent/program"):
        pass
