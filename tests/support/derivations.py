"""A store in a temporary directory, with derivations in it and URLs answered from memory."""

import hashlib
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from denizen.build.builtin_fetch import NotOpened, fetching
from denizen.build.derivation import Modulos, Sealed, seal
from denizen.build.realise import RealiseOptions, realise
from denizen.formats import storepath
from denizen.formats.aterm import Derivation
from denizen.formats.hashes import Hash
from denizen.formats.storepath import StorePath
from denizen.store.local import Store


class MemoryOpener:
    """Opens URLs whose content is in memory, and counts the requests."""

    def __init__(self) -> None:
        self.contents: dict[str, Sequence[bytes] | Exception] = {}
        self.asked: list[str] = []
        self._lock = threading.Lock()

    def __call__(self, url: str) -> Iterator[bytes]:
        with self._lock:
            self.asked.append(url)
        content = self.contents.get(url)
        if content is None:
            raise NotOpened(url, "the answer is 404", answered=True)
        if isinstance(content, Exception):
            raise content
        yield from content


class BuildStore:
    """A store, its derivations, and the URLs they may fetch."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.store = Store.create(os.fsencode(directory / "store"))
        self.opener = MemoryOpener()
        self.modulos: Modulos = {}

    @property
    def store_dir(self) -> bytes:
        return self.store.layout.logical

    def derive(self, name: str, derivation: Derivation) -> Sealed:
        """Seal a recipe and put its file into the store."""
        sealed = seal(derivation, name, self.modulos, self.store_dir)
        with self.store.working() as work:
            assert work.add_text(sealed.path.name, sealed.content, sealed.references).path == sealed.path
        return sealed

    def fetched(self, name: str, content: bytes, *, url: str | None = None) -> Sealed:
        """A file behind a URL, as a derivation."""
        where = url or f"https://example.test/{name}"
        self.opener.contents[where] = [content]
        value = Hash("sha256", hashlib.sha256(content).digest())
        return self.derive(name, fetching([where], value, self.store_dir))

    def realise(self, *wanted: Sealed, jobs: int = 1) -> dict[StorePath, Sealed]:
        return realise(self.store, [one.path for one in wanted], RealiseOptions(self.opener, jobs))

    def place(self, sealed: Sealed) -> Path:
        return Path(os.fsdecode(self.store.place_of(sealed.outputs[b"out"])))

    def left_behind(self) -> list[str]:
        """Whatever lies in the store besides valid objects."""
        names = {path.base for path in self.store.database.valid_among(self._present())}
        everything = {os.fsdecode(name) for name in os.listdir(self.store.layout.physical)}
        return sorted(everything - names - {".denizen"})

    def _present(self) -> list[StorePath]:
        names = [name for name in os.listdir(self.store.layout.physical) if not name.startswith(b".")]
        return [storepath.from_base(name) for name in names]
