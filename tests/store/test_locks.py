"""Locks and sessions in the moments between two system calls."""

import fcntl
import os
from pathlib import Path

import pytest

from denizen.formats.storepath import StorePath
from denizen.store.locks import StoreSession, live_sessions, output_lock, store_lock
from tests.support.stores import make_store

OUTPUT = StorePath("0" * 32, "output")


def test_a_lock_whose_file_went_while_it_was_waited_for_is_taken_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a third process would make the file anew, and lock it beside us."""
    layout = make_store(tmp_path / "store").layout
    path = OUTPUT.inside(layout.locks)
    wait, waits = fcntl.flock, 0

    def removed_meanwhile(descriptor: int, operation: int) -> None:
        nonlocal waits
        waits += 1
        if waits == 1:
            os.unlink(path)
        wait(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", removed_meanwhile)
    with output_lock(layout, OUTPUT):
        descriptor = os.open(path, os.O_RDWR)
        with pytest.raises(BlockingIOError):
            wait(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(descriptor)
    assert waits == 2
    assert not os.path.exists(path)


def test_a_session_whose_needs_are_written_in_part_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of a name keeps nothing, and a collection would take what the operation counts on."""
    layout = make_store(tmp_path / "store").layout
    session = StoreSession(layout)
    write = os.write
    try:
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", lambda descriptor, content: write(descriptor, content[:10]))
            with store_lock(layout), pytest.raises(OSError, match="No space"):
                session.need([OUTPUT])
        with store_lock(layout):
            assert session.token in live_sessions(layout)
    finally:
        session.close()
