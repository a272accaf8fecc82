"""An index update beside readers and other updates."""

import fcntl
import multiprocessing
import os
import threading
from pathlib import Path

import pytest

from denizen.index.library_index import LibraryIndex
from denizen.index.update_targets import UpdateTarget
from denizen.sources.base import (
    Scope,
    SilentTransfer,
)
from tests.support.debian_archive import keyring, sample
from tests.support.debian_sources import debian, update
from tests.support.indexed_archives import LATER, IndexedArchive, names_of
from tests.support.processes import PATIENCE


def test_a_reader_keeps_the_index_it_opened(indexed: IndexedArchive) -> None:
    outcome = indexed.update()
    (name,) = names_of(outcome)
    held = LibraryIndex(bytes(indexed.index / name))
    sample(indexed.archive, date=LATER, contents={"amd64": b"usr/lib/libother.so.1 libs/libc6\n"})
    indexed.update()
    assert [provider.package for provider in held.providers(b"libssl.so.3")] == [b"libssl3t64"]
    held.close()
    assert indexed.providers(b"libssl.so.3") == []


def _update_in_process(root: Path, url: str, keys: bytes) -> None:
    source = debian([url], root / "lists", keys=keys)
    update(bytes(root / "index"), [UpdateTarget(source, "stable", "amd64", 0, Scope.PATHS)], SilentTransfer())


@pytest.mark.slow
def test_two_updates_at_once_make_one_index_and_fetch_it_once(
    indexed: IndexedArchive, tmp_path: Path
) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=_update_in_process, args=(tmp_path, indexed.server.url, keyring()))
        for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(PATIENCE)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert indexed.providers(b"libssl.so.3") == [b"libssl3t64"]
    assert len([path for path, _ in indexed.server.requests if "by-hash" in path]) == 3


def test_a_second_update_waits_and_says_so(indexed: IndexedArchive) -> None:
    indexed.update()
    notes: list[str] = []

    class Told(SilentTransfer):
        def note(self, text: str) -> None:
            notes.append(text)
            release.set()

    release = threading.Event()
    descriptor = os.open(indexed.index / "lock", os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)

    def let_go() -> None:
        release.wait(PATIENCE)
        os.close(descriptor)

    helper = threading.Thread(target=let_go)
    helper.start()
    source = debian([indexed.server.url], indexed.lists)
    update(bytes(indexed.index), [UpdateTarget(source, "stable", "amd64", 0, Scope.LIBRARIES)], Told())
    helper.join()
    assert notes == ["another update is running; waiting for it"]
