"""Work, an operation that adds objects: copied, unpacked from a NAR, or built; each staged, then committed.

`commit` documents the order of the steps. What reads and writes trees and NARs is imported by the methods
that do: most operations only need objects that are there, and pay 1 ms less.
"""

from __future__ import annotations

import os
import time

from denizen.formats import storepath
from denizen.sha256 import digest_of
from denizen.store.commit import Operation, exists
from denizen.store.durability import sync
from denizen.store.errors import doing
from denizen.store.object_info import ObjectInfo
from denizen.store.progress import ignore
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from contextlib import AbstractContextManager
    from typing import TypeVar

    from denizen.formats.file_tree import Entry
    from denizen.formats.storepath import StorePath
    from denizen.formats.stream import Readable
    from denizen.store.nar_digest import Digest
    from denizen.store.progress import Told
    from denizen.store.staged_tree import Adoption, Staged
    from denizen.store.trees.reference_scanner import Matcher

    # Opens a NAR at its beginning; the caller closes the stream.
    OpenNar = Callable[[], AbstractContextManager[Readable]]
    # Changes the entries of an object, in a NAR's order.
    Unpacked = TypeVar("Unpacked")
    Rewrite = Callable[[Iterable[Entry]], Iterable[Entry]]

# Objects added by one command are synced and registered together, in batches of at most this size.
BATCH_COUNT = 256
BATCH_BYTES = 256 * 1024 * 1024


class Work(Operation):
    """An operation in progress with every way of adding objects; made by `Store.working`."""

    def add(self, source: bytes, name: str, keep: Callable[[Entry], bool] | None = None) -> ObjectInfo:
        """Copy the tree at `source` into the store, as `nix-store --add` does. Raises as `add_all`.

        With `keep` only those entries are copied for which it is true; it is false for all in a directory for
        which it is false.
        """
        if keep is None:
            (info,) = self.add_all([(source, name)])
            return info
        from denizen.store.trees.tree_reader import entries as entries_of

        storepath.check_name(name)
        with doing("add", source):
            staged = self._stage(filter(keep, entries_of(source)), self._store.database.digests())
        return self._place([(staged, self._source_info(staged.digest, name))])[0]

    def add_all(self, sources: Iterable[tuple[bytes, str]], told: Told = ignore) -> list[ObjectInfo]:
        """Copy (path, name) trees into the store, each named by its content; batches share a few syncs.

        `told` is called with the number of NAR bytes written since the last call. References are recorded but
        do not enter the path, so it is the one Nix computes, whatever else is valid.

        Raises:
            DiskFailed: a source cannot be read, or the store not written.
            NotStorable, TooDeep, TreeChanged: a source cannot be stored.
            BadObjectName: a name cannot be an object's.
        """
        from denizen.store.trees.tree_reader import entries as entries_of

        added: list[ObjectInfo] = []
        batch: list[tuple[Staged, ObjectInfo]] = []
        size = 0
        for source, name in sources:
            storepath.check_name(name)
            with doing("add", source):
                staged = self._stage(entries_of(source), self._store.database.digests(), told)
            batch.append((staged, self._source_info(staged.digest, name)))
            size += staged.digest.nar_size
            if len(batch) >= BATCH_COUNT or size >= BATCH_BYTES:
                added += self._place(batch)
                batch, size = [], 0
        return added + self._place(batch)

    def add_entries(
        self,
        entries: Iterable[Entry],
        path: StorePath,
        candidates: Iterable[StorePath],
        deriver: StorePath | None = None,
    ) -> ObjectInfo:
        """Write entries, in a NAR's order, as the object `path`.

        Its references are looked for among `candidates`.
        """
        known = _by_digest([*candidates, path])
        with doing("write", self._layout.place_of(path)):
            staged = self._stage(entries, known)
        return self._place([(staged, _info(path, staged.digest, known, deriver))])[0]

    def add_text(self, name: str, content: bytes, references: Iterable[StorePath] = ()) -> ObjectInfo:
        """Add a file whose path is computed from its content and references: a derivation."""
        return self._place([self._text(name, content, references)])[0]

    def add_texts(self, texts: Iterable[tuple[str, bytes, Iterable[StorePath]]]) -> None:
        """Add many (name, content, references) texts as `add_text` does, each after those it refers to.

        Texts that are valid objects already are skipped.
        """
        wanted = {
            storepath.for_text(name, content, tuple(sorted(set(references))), self._layout.logical): (
                name,
                content,
                references,
            )
            for name, content, references in texts
        }
        valid = self.need(wanted)
        self._place([self._text(*text) for path, text in wanted.items() if path not in valid])

    def _text(self, name: str, content: bytes, references: Iterable[StorePath]) -> tuple[Staged, ObjectInfo]:
        from denizen.formats.file_tree import File
        from denizen.formats.hashes import Hash

        wanted = tuple(sorted(set(references)))
        path = storepath.for_text(name, content, wanted, self._layout.logical)
        with doing("write", self._layout.place_of(path)):
            staged = self._stage([File(b"", executable=False, size=len(content), content=(content,))], ())
        address = None if wanted else Hash("sha256", digest_of(content)).nix
        info = replace(
            _info(path, staged.digest, {}, None),
            references=wanted,
            content_address=address and f"text:{address}",
        )
        return staged, info

    def add_nar(self, open_nar: OpenNar, promised: ObjectInfo) -> ObjectInfo:
        """Unpack a NAR whose hash, size and references come from a trusted signature.

        The NAR is read twice: no byte is unpacked before the hash of all of it has been checked.

        Raises:
            WrongContent: it has another hash or size; nothing was written.
            BadNar, Truncated: it has the promised hash but is malformed; nothing is left of it.
            ReferenceGone: it references an object that is not valid here.
        """
        staged = self._unpacked(open_nar, promised)
        self.need(promised.references)
        return self._place([(staged, replace(promised, registered=int(time.time())))])[0]

    def add_rewritten(self, open_nar: OpenNar, promised: ObjectInfo, rewrite: Rewrite) -> ObjectInfo:
        """Unpack a NAR of another store directory as the object `promised`, its entries changed by `rewrite`.

        The object's hash and size are those of the changed content, and signatures, which were about the
        other, are left out.

        Raises as `add_nar`, and what `rewrite` raises.
        """
        known = _by_digest([*promised.references, promised.path])
        staged = self._verified(open_nar, promised, lambda entries: self._stage(rewrite(entries), known))
        self.need(promised.references)
        return self._place([(staged, _info(promised.path, staged.digest, known, promised.deriver))])[0]

    def replace_nar(self, open_nar: OpenNar, info: ObjectInfo) -> None:
        """Replace a valid object whose content is damaged or gone by the content of a NAR of it.

        Raises as `add_nar`, and then nothing has been changed.
        """
        self._replace(self._unpacked(open_nar, info).name, info)

    def replace_tree(self, tree: bytes, found: Digest, info: ObjectInfo) -> None:
        """Replace a valid object by the tree at `tree` (from `new_tree`), whose NAR has the digest `found`.

        The tree's modes and times are canonical already. Raises WrongContent, and then nothing has been
        changed.
        """
        from denizen.store.nar_digest import Digest

        expected = Digest(info.nar_hash, info.nar_size)
        if (found.nar_hash, found.nar_size) != (expected.nar_hash, expected.nar_size):
            from denizen.store.object_errors import WrongContent

            raise WrongContent(info.path, expected, found)
        self._replace(os.path.basename(tree), info)

    def _replace(self, name: bytes, info: ObjectInfo) -> None:
        """Rename a staged tree over a valid object's; files open in the old tree stay usable."""
        place = self._layout.place_of(info.path)
        with doing("repair", place):
            sync(self._directory)
            with self._store.locked():
                if exists(place):
                    os.rename(place, self.new_tree())
                os.rename(self._layout.physical + b"/" + name, place)
                sync(self._directory)
            self._discard_all()

    def adopt(
        self,
        tree: bytes,
        path: StorePath,
        candidates: Iterable[StorePath],
        deriver: StorePath | None = None,
        content_address: str | None = None,
    ) -> ObjectInfo:
        """Make the tree that a builder left at `tree` (from `new_tree`) the object `path`.

        Raises:
            DiskFailed, NotStorable, TooDeep: it cannot become an object.
        """
        from denizen.store.staged_tree import Staged
        from denizen.store.trees.canonical import canonicalise
        from denizen.store.trees.nar_hashing import Digester, digest_tree

        known = _by_digest([*candidates, path])
        with doing("store what was built at", tree):
            canonicalise(tree)
            staged = Staged(os.path.basename(tree), digest_tree(tree, Digester(known, self._matcher())))
        info = replace(_info(path, staged.digest, known, deriver), content_address=content_address)
        return self._place([(staged, info)])[0]

    def adopt_all(self, adoptions: Iterable[Adoption]) -> None:
        """Make trees objects; their metadata is canonical and they were digested as they were written.

        One commit with a few syncs for all; it also removes the other temporary trees of this operation.

        Raises:
            ReferenceGone: a tree mentions an object that is not valid.
        """
        from denizen.store.staged_tree import Staged

        self._place(
            [(Staged(os.path.basename(one.tree), one.digest), adopted_info(one)) for one in adoptions]
        )

    def settle(self, tree: bytes, candidates: Iterable[StorePath]) -> Digest:
        """Give a tree that was built canonical metadata; return its digest, scanned for `candidates`.

        Raises:
            DiskFailed, NotStorable, TooDeep: it cannot become an object.
        """
        from denizen.store.trees.canonical import canonicalise
        from denizen.store.trees.nar_hashing import Digester, digest_tree

        with doing("store what was built at", tree):
            canonicalise(tree)
            return digest_tree(tree, Digester(_by_digest(candidates), self._matcher()))

    def tree_of(self, stream: Readable, *, ordered: bool = True) -> bytes:
        """Return a new tree with the content of a NAR; its metadata is canonical.

        Unless `ordered`, names in a directory may come in any order. Raises BadNar, Truncated.
        """
        from denizen.nar import reader

        with doing("write a tree in", self._layout.physical):
            return self._layout.physical + b"/" + self._restored(reader.read(stream, ordered=ordered))

    def adopt_shared(
        self, tree: bytes, path: StorePath, candidates: Iterable[StorePath], deriver: StorePath | None = None
    ) -> ObjectInfo:
        """Make a tree an object as `adopt` does, but keep its files hard links to files of other objects.

        Every other file in it must have been made by the builder and have no name outside the store, through
        which it could be changed later.
        """
        from denizen.store.staged_tree import Staged
        from denizen.store.trees.canonical import reset_metadata
        from denizen.store.trees.nar_hashing import Digester, digest_tree

        known = _by_digest([*candidates, path])
        with doing("store what was built at", tree):
            reset_metadata(tree)
            staged = Staged(os.path.basename(tree), digest_tree(tree, Digester(known, self._matcher())))
        return self._place([(staged, _info(path, staged.digest, known, deriver))])[0]

    def digest_of(self, tree: bytes) -> Digest:
        """Return the digest of the NAR of a tree being built, for outputs named by their content."""
        from denizen.store.trees.nar_hashing import Digester, digest_tree

        with doing("read", tree):
            return digest_tree(tree, Digester())

    def _source_info(self, digest: Digest, name: str) -> ObjectInfo:
        from denizen.formats.hashes import Hash

        nar = Hash("sha256", digest.nar_hash)
        path = storepath.for_source(name, nar, (), self._layout.logical)
        mentioned = [self._store.database.find_digest(found.decode("ascii")) for found in digest.mentions]
        references = tuple(sorted(self.need(found for found in mentioned if found is not None)))
        # A content address promises that the path follows from content and references together, so
        # with references, which do not enter this path, there is none.
        address = None if references else f"fixed:r:{nar.nix}"
        return replace(_info(path, digest, {}, None), references=references, content_address=address)

    def _stage(self, entries: Iterable[Entry], candidates: Collection[bytes], told: Told = ignore) -> Staged:
        from denizen.store.tree_staging import stage
        from denizen.store.trees.nar_hashing import Digester

        digester = Digester(candidates, self._matcher() if candidates else None)
        return stage(entries, self._directory, self._new_name(), digester, told)

    def _unpacked(self, open_nar: OpenNar, promised: ObjectInfo) -> Staged:
        """Unpack a NAR under a temporary name."""
        from denizen.store.nar_digest import Digest
        from denizen.store.staged_tree import Staged

        name = self._verified(open_nar, promised, self._restored)
        return Staged(name, Digest(promised.nar_hash, promised.nar_size))

    def _restored(self, entries: Iterable[Entry]) -> bytes:
        """Write the entries of a NAR under a temporary name; return the name."""
        from denizen.store.trees.canonical import STORED
        from denizen.store.trees.restore import restore_nar

        name = self._new_name()
        restore_nar(entries, self._directory, name, STORED)
        return name

    def _verified(
        self, open_nar: OpenNar, promised: ObjectInfo, unpack: Callable[[Iterable[Entry]], Unpacked]
    ) -> Unpacked:
        """Return what `unpack` makes of a NAR, whose hash is checked before and while it is unpacked.

        Raises WrongContent.
        """
        from denizen.nar import reader
        from denizen.store.nar_digest import Digest
        from denizen.store.trees.nar_hashing import Digester, DigestingStream, digest_stream

        expected = Digest(promised.nar_hash, promised.nar_size)
        place = self._layout.place_of(promised.path)
        with doing("read the archive of", place), open_nar() as stream:
            found = digest_stream(stream)
        if found == expected:
            with doing("unpack", place), open_nar() as stream:
                again = Digester()
                unpacked = unpack(reader.read(DigestingStream(stream, again)))
            found = again.result()
        if found != expected:
            from denizen.store.object_errors import WrongContent

            raise WrongContent(promised.path, expected, found)
        return unpacked

    def _matcher(self) -> Matcher:
        if self._store.matcher is None:
            from denizen.store.trees.hyperscan_search import Matching

            self._store.matcher = Matching()
        return self._store.matcher


def _by_digest(paths: Iterable[StorePath]) -> dict[bytes, StorePath]:
    return {path.digest.encode("ascii"): path for path in paths}


def adopted_info(one: Adoption) -> ObjectInfo:
    """Return the metadata to register of a tree that is to become an object."""
    made = _info(one.path, one.digest, _by_digest([*one.candidates, one.path]), one.deriver)
    return replace(made, content_address=one.content_address)


def _info(
    path: StorePath, digest: Digest, known: Mapping[bytes, StorePath], deriver: StorePath | None
) -> ObjectInfo:
    """Return the metadata to register; its references are the members of `known` that the NAR mentions."""
    references = tuple(sorted(known[found] for found in digest.mentions)) if known else ()
    return ObjectInfo(path, digest.nar_hash, digest.nar_size, references, deriver, (), int(time.time()))
