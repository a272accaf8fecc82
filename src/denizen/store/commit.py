"""An operation in progress: naming what must stay, and making staged trees valid objects.

How an object is added (docs/store.md has the argument for each step):

1. its tree is written under a temporary name that belongs to this session, and digested as it passes
   (`work`);
2. its sidecar is written under a temporary name;
3. both are synced, as all that was written to this file system;
4. under the store's lock: what the object references is still valid; tree and sidecar are renamed
   into place, that is synced, and the object is registered.

Killed before the renaming, a temporary name is left that a collection removes; after it, an object that is
complete but not registered, which a collection removes and the same addition, repeated, replaces.
"""

from __future__ import annotations

import contextlib
import os

from denizen.errors import BadInput
from denizen.formats.hashes import Hash
from denizen.store import sidecar
from denizen.store.collection.remove import remove_tree
from denizen.store.database import ReferenceGone
from denizen.store.errors import doing
from denizen.store.locks import StoreSession, output_lock
from denizen.store.sync import file_system_of, sync
from denizen.store.trees.digest import Digest
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from typing import Protocol

    from denizen.formats.storepath import StorePath
    from denizen.store.database import Database
    from denizen.store.info import ObjectInfo
    from denizen.store.layout import StoreLayout
    from denizen.store.trees.references import Matcher
else:
    Protocol = object

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


class WrongContent(BadInput):
    """A NAR is not the one that was promised."""

    path: StorePath
    promised: Digest
    found: Digest

    @property
    def what(self) -> str:
        return f"the archive for {self.path} is not the one that was promised"

    @property
    def why(self) -> str:
        return f"promised {_shown(self.promised)}, found {_shown(self.found)}; nothing was unpacked"


@value
class Staged:
    """A tree under its temporary name.

    Attributes:
        name: that name, in the store directory.
        digest: what its NAR came to.
    """

    name: bytes
    digest: Digest


class OpenStore(Protocol):
    """The part of a `Store` that an operation uses; a store makes operations, so it is not imported here."""

    layout: StoreLayout
    matcher: Matcher | None

    @property
    def database(self) -> Database:
        """The registered objects."""

    def info(self, path: StorePath) -> ObjectInfo:
        """Return what is registered of an object. Raises NotValid."""

    def locked(self) -> AbstractContextManager[None]:
        """Hold the store's lock, and look at the database of this moment."""


class Operation:
    """An operation in progress: what it names as needed, and what it adds, is kept until it ends."""

    def __init__(self, store: OpenStore) -> None:
        self._store = store
        self._layout = store.layout
        self._directory = file_system_of(store.layout.physical)
        try:
            self._session = StoreSession(store.layout)
        except BaseException:
            os.close(self._directory)
            raise
        # Names in the order they were given; those that may still be there.
        self._temporary: dict[bytes, None] = {}

    def close(self) -> None:
        """End the operation: temporary trees go, needs are forgotten."""
        with doing("remove what is temporary in", self._layout.physical), contextlib.ExitStack() as stack:
            stack.callback(self._session.close)
            stack.callback(os.close, self._directory)
            self._discard_all()

    def need(self, paths: Iterable[StorePath]) -> set[StorePath]:
        """Keep objects until the operation ends; returns those that are valid, and so will stay valid.

        One that is registered while somebody took its tree away is not among them: it is to be made again.
        """
        wanted = list(paths)
        if not wanted:
            return set()
        with doing("keep objects in", self._layout.physical), self._store.locked():
            self._session.need(wanted)
            valid = self._store.database.valid_among(wanted)
            return {path for path in valid if exists(self._layout.place_of(path))}

    def set_aside(self, places: Iterable[bytes]) -> None:
        """Take away trees that lack something, so that they are made again; what is open stays."""
        with doing("set aside objects in", self._layout.physical), self._store.locked():
            for place in places:
                with contextlib.suppress(FileNotFoundError):
                    os.rename(place, self.new_tree())

    @contextlib.contextmanager
    def building(self, output: StorePath) -> Iterator[bool]:
        """Be the only process that makes `output`; yields whether it is valid already, and keeps it."""
        lock = contextlib.ExitStack()
        with doing("lock an output in", self._layout.physical):
            lock.enter_context(output_lock(self._layout, output))
        try:
            yield output in self.need([output])
        finally:
            with doing("unlock an output in", self._layout.physical):
                lock.close()

    def new_tree(self) -> bytes:
        """A path at which a builder may make a tree; it is removed with the operation if not adopted."""
        return self._layout.physical + b"/" + self._new_name()

    def _place(self, batch: Sequence[tuple[Staged, ObjectInfo]]) -> list[ObjectInfo]:
        """Make staged trees valid; those that are valid already stay as they are."""
        if not batch:
            return []
        with doing("complete an addition to", self._layout.physical):
            for staged, info in batch:
                self._write_sidecar(staged.name, info)
            sync(self._directory)
            with self._store.locked():
                registered = self._register(batch)
            self._discard_all()
        return registered

    def _register(self, batch: Sequence[tuple[Staged, ObjectInfo]]) -> list[ObjectInfo]:
        """Rename into place, sync, register. The store's lock is held."""
        database = self._store.database
        unique = {info.path: (staged, info) for staged, info in batch}
        mentioned = {reference for _, info in unique.values() for reference in info.references}
        valid = database.valid_among(mentioned | unique.keys())
        for _, info in unique.values():
            for reference in info.references:
                if reference not in valid and reference not in unique:
                    raise ReferenceGone(info.path, reference)
        self._session.need(unique)
        moved = [
            self._move_in(staged.name, info, known=path in valid) for path, (staged, info) in unique.items()
        ]
        if any(moved):
            sync(self._directory)
        database.register([info for path, (_, info) in unique.items() if path not in valid])
        return [
            self._store.info(info.path) if info.path in valid else unique[info.path][1] for _, info in batch
        ]

    def _move_in(self, name: bytes, info: ObjectInfo, *, known: bool) -> bool:
        """Rename a staged tree and its sidecar into place, unless the object is valid and there."""
        place = self._layout.place_of(info.path)
        if exists(place):
            if known:
                return False
            # What a killed addition left, complete but not registered; or a stranger's file.
            os.rename(place, self.new_tree())
        elif known:
            self._agree(name, info)
        os.rename(self._layout.physical + b"/" + name, place)
        os.rename(self._layout.info + b"/" + name, self._layout.sidecar_of(info.path))
        self._temporary.pop(name, None)
        return True

    def _agree(self, name: bytes, info: ObjectInfo) -> None:
        """Let an object made again, because its tree was taken away, be what is registered."""
        registered = self._store.info(info.path)
        if (registered.nar_hash, registered.nar_size) != (info.nar_hash, info.nar_size):
            promised = Digest(registered.nar_hash, registered.nar_size)
            raise WrongContent(info.path, promised, Digest(info.nar_hash, info.nar_size))
        os.unlink(self._layout.info + b"/" + name)
        self._write_sidecar(name, registered)

    def _write_sidecar(self, name: bytes, info: ObjectInfo) -> None:
        """Under a temporary name; synced and renamed with the tree."""
        # Not open(): its buffer and its questions about the file cost as much as all the rest.
        descriptor = os.open(self._layout.info + b"/" + name, _NEW, 0o644)
        try:
            content = memoryview(sidecar.write(info))
            while content:
                content = content[os.write(descriptor, content) :]
        finally:
            os.close(descriptor)

    def _new_name(self) -> bytes:
        name = self._session.new_tree()
        self._temporary[name] = None
        return name

    def _discard_all(self) -> None:
        while self._temporary:
            name = next(reversed(self._temporary))
            self._discard(name)
            del self._temporary[name]

    def _discard(self, name: bytes) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._layout.info + b"/" + name)
        remove_tree(self._directory, name)


def exists(place: bytes) -> bool:
    """Whether something is at `place`. Raises OSError where that cannot be told."""
    try:
        os.lstat(place)
    except FileNotFoundError:
        return False
    return True


def _shown(digest: Digest) -> str:
    return f"{Hash('sha256', digest.nar_hash).nix} ({digest.nar_size} bytes)"
