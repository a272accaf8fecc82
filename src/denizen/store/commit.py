"""The commit of staged trees: write under a temporary name, sync, rename into place, register.

How an object is added (docs/store.md has the argument for each step):

1. its tree is written under a temporary name that belongs to this session, and digested as it passes
   (`work`);
2. its sidecar is written under a temporary name;
3. both are synced, as all that was written to this file system;
4. under the store's lock: what the object references is still valid; tree and sidecar are renamed
   into place, that is synced, and the object is registered.

If the process is killed before step 4 renames, a temporary name is left, which a collection removes. If it
is killed after that, an object is left that is complete but not registered: a collection removes it, and
adding the object again replaces it.
"""

from __future__ import annotations

import os

from denizen.contexts import contextmanager, suppress
from denizen.disk import OPEN_NEW
from denizen.store.durability import file_system_of, sync
from denizen.store.errors import doing
from denizen.store.locks import StoreSession, output_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from typing import Protocol

    from denizen.formats.storepath import StorePath
    from denizen.store.database import Database
    from denizen.store.layout import StoreLayout
    from denizen.store.object_info import ObjectInfo
    from denizen.store.staged_tree import Staged
    from denizen.store.trees.reference_scanner import Matcher

    class OpenStore(Protocol):
        """The part of a `Store` that an operation uses; a store makes operations, hence not imported."""

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
    """An operation in progress: objects it needs or adds are kept from collection until it ends."""

    def __init__(self, store: OpenStore) -> None:
        self._store = store
        self._layout = store.layout
        self._directory = file_system_of(store.layout.physical)
        try:
            self._session = StoreSession(store.layout)
        except BaseException:
            os.close(self._directory)
            raise
        # Temporary names that may still exist, in the order they were made.
        self._temporary: dict[bytes, None] = {}

    def close(self) -> None:
        """End the operation: remove its temporary trees and stop keeping the objects it needed."""
        with doing("remove what is temporary in", self._layout.physical):
            try:
                self._discard_all()
            finally:
                os.close(self._directory)
                self._session.close()

    def need(self, paths: Iterable[StorePath]) -> set[StorePath]:
        """Keep objects from collection until the operation ends; return those of `paths` that are valid.

        A registered object whose tree somebody removed is not returned: the caller has to make it again.
        """
        wanted = list(paths)
        if not wanted:
            return set()
        with doing("keep objects in", self._layout.physical), self._store.locked():
            self._session.need(wanted)
            valid = self._store.database.valid_among(wanted)
            return {path for path in valid if exists(self._layout.place_of(path))}

    def set_aside(self, places: Iterable[bytes]) -> None:
        """Rename incomplete trees away, so that they are made again; files open in them stay usable."""
        with doing("set aside objects in", self._layout.physical), self._store.locked():
            for place in places:
                with suppress(FileNotFoundError):
                    os.rename(place, self.new_tree())

    @contextmanager
    def building(self, output: StorePath) -> Iterator[bool]:
        """Hold the lock of `output`, so that one process builds it.

        Yield whether the object is valid already.
        """
        lock = output_lock(self._layout, output)
        with doing("lock an output in", self._layout.physical):
            lock.__enter__()
        try:
            yield output in self.need([output])
        finally:
            with doing("unlock an output in", self._layout.physical):
                lock.__exit__(None, None, None)

    def new_tree(self) -> bytes:
        """Return a path at which a builder may make a tree.

        It is removed with the operation if not adopted.
        """
        return self._layout.physical + b"/" + self._new_name()

    def discard(self, tree: bytes) -> None:
        """Remove a temporary tree before the operation ends: what is gone is not written to the disk."""
        name = os.path.basename(tree)
        with doing("remove", tree):
            self._discard(name)
        self._temporary.pop(name, None)

    def _place(self, batch: Sequence[tuple[Staged, ObjectInfo]]) -> list[ObjectInfo]:
        """Make staged trees valid objects, and return their infos in the order of `batch`.

        An object that is valid already stays as it is, and its registered info is returned.
        """
        if not batch:
            return []
        paths = {info.path for _, info in batch}
        # Nothing new needs no sync, which waits for all that anybody writes to the file system.
        if self._store.database.valid_among(paths) == paths and self.need(paths) == paths:
            with doing("complete an addition to", self._layout.physical):
                self._discard_all()
            return [self._store.info(info.path) for _, info in batch]
        with doing("complete an addition to", self._layout.physical):
            for staged, info in batch:
                self._write_sidecar(staged.name, info)
            sync(self._directory)
            with self._store.locked():
                registered = self._register(batch)
            self._discard_all()
        return registered

    def _register(self, batch: Sequence[tuple[Staged, ObjectInfo]]) -> list[ObjectInfo]:
        """Rename staged trees into place, sync, and register them. The caller holds the store's lock."""
        database = self._store.database
        unique = {info.path: (staged, info) for staged, info in batch}
        mentioned = {reference for _, info in unique.values() for reference in info.references}
        valid = database.valid_among(mentioned | unique.keys())
        for _, info in unique.values():
            for reference in info.references:
                if reference not in valid and reference not in unique:
                    from denizen.store.object_errors import ReferenceGone

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
        """Rename a staged tree and its sidecar into place; return False where the object is valid and there.

        `known` says whether the object is registered.
        """
        place = self._layout.place_of(info.path)
        if exists(place):
            if known:
                return False
            # Left by an addition that was killed before registering it, or a file that is not ours.
            os.rename(place, self.new_tree())
        elif known:
            self._agree(name, info)
        os.rename(self._layout.physical + b"/" + name, place)
        os.rename(self._layout.info + b"/" + name, self._layout.sidecar_of(info.path))
        self._temporary.pop(name, None)
        return True

    def _agree(self, name: bytes, info: ObjectInfo) -> None:
        """Check that an object made again, because its tree was removed, is the registered one.

        Its sidecar is written from what is registered. Raises WrongContent where the NAR differs.
        """
        from denizen.store.nar_digest import Digest

        registered = self._store.info(info.path)
        if (registered.nar_hash, registered.nar_size) != (info.nar_hash, info.nar_size):
            promised = Digest(registered.nar_hash, registered.nar_size)
            from denizen.store.object_errors import WrongContent

            raise WrongContent(info.path, promised, Digest(info.nar_hash, info.nar_size))
        os.unlink(self._layout.info + b"/" + name)
        self._write_sidecar(name, registered)

    def _write_sidecar(self, name: bytes, info: ObjectInfo) -> None:
        """Write the sidecar under its temporary name; the caller syncs it and renames it with the tree."""
        from denizen.store import (
            sidecar,  # here and in `_discard`: an operation that adds nothing pays 0.3 ms less
        )

        # Not open(): its buffer and its fstat and lseek calls cost as much as all the rest.
        descriptor = os.open(self._layout.info + b"/" + name, OPEN_NEW, 0o644)
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
        from denizen.store.collection.remove import remove_tree

        with suppress(FileNotFoundError):
            os.unlink(self._layout.info + b"/" + name)
        remove_tree(self._directory, name)


def exists(place: bytes) -> bool:
    """Return whether there is a file of any kind at `place`; links are not followed.

    Raises OSError where that cannot be determined.
    """
    try:
        os.lstat(place)
    except FileNotFoundError:
        return False
    return True
