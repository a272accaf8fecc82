"""Archives with the indexes that are made from them."""

import os
from pathlib import Path

from denizen.index.locate import Index
from denizen.index.update_targets import UpdateOutcome, UpdateTarget
from denizen.sources.base import Scope, SilentTransfer
from tests.support.debian_archive import DATE, Archive, sample
from tests.support.debian_sources import A_DAY, debian, update
from tests.support.faulty_server import Server

LATER = "Sun, 12 Jul 2026 10:16:37 UTC"


class IndexedArchive:
    """An archive behind a misbehaving server, and the indexes made from it."""

    def __init__(self, root: Path) -> None:
        self.archive = Archive(root / "archive")
        sample(self.archive)
        self.index = root / "index"
        self.lists = root / "lists"
        self.server = Server(self.archive.root)

    def update(
        self, scope: Scope = Scope.LIBRARIES, *, force: bool = False, now: float = DATE + A_DAY
    ) -> UpdateOutcome:
        source = debian([self.server.url], self.lists, now=now)
        (outcome,) = update(
            bytes(self.index),
            [UpdateTarget(source, "stable", "amd64", 0, scope)],
            SilentTransfer(),
            force=force,
            clock=lambda: now,
        )
        return outcome

    def providers(self, soname: bytes) -> list[bytes]:
        index = Index(bytes(self.index), "amd64")
        try:
            return [provider.package for provider in index.providers(soname)]
        finally:
            index.close()

    def files(self) -> list[str]:
        return sorted(os.listdir(self.index))


def names_of(outcome: UpdateOutcome) -> list[str]:
    """The names of the index files that an update left."""
    assert outcome.entry is not None
    return sorted(name for name in (outcome.entry.libraries, outcome.entry.paths) if name)
