"""Unpack a package file to a tree with canonical metadata, and compute the digest of its NAR.

The order of a tar is not that of a NAR, so a tree cannot be digested in the order it arrives. A package
that fits in memory is sorted there, then written and digested in one pass, each file created with its final
metadata. A larger one is written in the tar's order and read again: for metadata, then for the digest. Both
ways give the same tree and digest.

Measured over 200 packages, 700 MB in 24,000 files: 5 system calls per file in one pass, 12 in two.
"""

from __future__ import annotations

import hashlib
import os
from itertools import chain

from denizen.build.read_packages import in_memory
from denizen.contexts import contextmanager
from denizen.disk import FULL
from denizen.errors import BadInput, SourceFailed
from denizen.formats.archive_tree import Layout
from denizen.formats.deb import Deb
from denizen.formats.file_tree import File, HardLink
from denizen.nar import writer
from denizen.nar.codec import MAX_DEPTH
from denizen.store.errors import doing
from denizen.store.nar_digest import Digest
from denizen.store.trees.canonical import ORDINARY, STORED, canonicalise
from denizen.store.trees.nar_hashing import Digester, digest_tree
from denizen.store.trees.restore import restore, restoring
from denizen.store.trees.tree_reader import TooDeep
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from io import FileIO

    from denizen.build.read_packages import ReadPackages
    from denizen.formats.file_tree import ArchiveEntry, Entry
    from denizen.process_pool import Helpers

# Bytes of content held in memory per package being unpacked; nine in ten of Debian's packages have less.
HELD = 64 * 1024 * 1024


class NotUnpacked(BadInput):
    """A package that has the right hash cannot be unpacked."""

    package: str
    reason: str
    WHAT = "the package {package} cannot be unpacked; nothing of it is kept"
    WHY = "{reason:text}"


class NotPromised(SourceFailed):
    """A file does not have the hash of the package it should be."""

    file: bytes
    found: str
    WHAT = "{file} is not the package that was promised; nothing of it is unpacked"
    WHY = "it hashes to {found:text}"


class PackageFile(Value):
    """A package to be unpacked.

    Attributes:
        deb: path of its file.
        sha256: SHA-256 the file must have, in hex; b"" where it is an object of the store.
        name: name for error messages.
        layout: how paths are changed on the way.
        tree: path in the store directory at which the tree is made.
        candidates: the hashes of store paths to look for in it.
    """

    deb: bytes
    sha256: bytes
    name: str
    layout: Layout
    tree: bytes
    candidates: tuple[bytes, ...]


def unpack_by_helper(helpers: Helpers, package: PackageFile) -> Digest:
    """Have a helper process unpack a package; return the digest of the tree's NAR.

    Raises:
        NotPromised, NotUnpacked, DiskFailed: the package cannot be unpacked.
        HelperDied: the helper process was killed.
    """
    message = (
        package.deb,
        package.sha256,
        package.name,
        package.layout.value,
        package.tree,
        package.candidates,
    )
    nar_hash, size, mentions = helpers.do(f"unpack {package.name}", message)
    return Digest(nar_hash, size, frozenset(mentions))


def work(
    message: tuple[bytes, bytes, str, str, bytes, tuple[bytes, ...]], read: ReadPackages | None = None
) -> tuple[bytes, int, tuple[bytes, ...]]:
    """Unpack the package described by a message of `unpack_by_helper`, in a helper.

    `read` has what the helper's parent had read when it was forked. Return (NAR hash, NAR size, mentions).
    """
    deb, sha256, name, layout, tree, candidates = message
    digest = unpack(PackageFile(deb, sha256, name, Layout(layout), tree, candidates), read)
    return digest.nar_hash, digest.nar_size, tuple(digest.mentions)


def unpack(package: PackageFile, read: ReadPackages | None = None) -> Digest:
    """Unpack a package in this process; return the digest of the tree's NAR. Raises as `unpack_by_helper`.

    The file of a package that `read` holds is not read again.
    """
    merged = package.layout is Layout.USR_MERGED
    held = read.entries(package.sha256) if read is not None and merged else None
    with doing("unpack", package.deb):
        try:
            if held is None:
                return _decoded(package)
            return make_held(held, package.tree, package.candidates)
        except BadInput as error:
            raise NotUnpacked(package.name, str(error)) from error
        except OSError as error:
            # Full is where the tree is written, which may be another disk than the package's.
            if error.errno in FULL:
                error.filename = package.tree
            raise


def _decoded(package: PackageFile) -> Digest:
    with open(package.deb, "rb", buffering=0) as stream:
        if package.sha256:
            check(stream, package.deb, package.sha256)
        return make(Deb(stream).entries(package.layout), package.tree, package.candidates)


def check(stream: FileIO, deb: bytes, sha256: bytes) -> None:
    """Check the hash of a whole package file before anything is decoded. Raises NotPromised."""
    found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found.encode("ascii") != sha256:
        raise NotPromised(deb, found)
    stream.seek(0)


def make(entries: Iterator[ArchiveEntry], tree: bytes, candidates: Collection[bytes]) -> Digest:
    """Write the entries of an archive to `tree` with canonical metadata; return the digest of its NAR.

    `candidates` are the hashes of store paths to look for.

    Raises:
        OSError: a system call failed.
        TooDeep: a path longer than archives allow.
        BadInput: the archive's reader found an error.
    """
    held, whole = in_memory(entries, HELD)
    if whole:
        return make_held(held, tree, candidates)
    with _directory_of(tree) as parent:
        restore(chain(held, entries), parent, os.path.basename(tree), ORDINARY)
    canonicalise(tree)
    return digest_tree(tree, Digester(frozenset(candidates)))


def make_held(held: Sequence[ArchiveEntry], tree: bytes, candidates: Collection[bytes]) -> Digest:
    """Write the entries of a whole archive, with their content in memory. As `make`."""
    digester = Digester(frozenset(candidates))
    with _directory_of(tree) as parent:
        for piece in writer.write(restoring(_sorted(held), parent, os.path.basename(tree), STORED)):
            digester.feed(piece)
    return digester.result()


@contextmanager
def _directory_of(tree: bytes) -> Iterator[int]:
    parent = os.open(os.path.dirname(tree), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield parent
    finally:
        os.close(parent)


def _sorted(entries: Iterable[ArchiveEntry]) -> list[Entry]:
    """Return the entries in a NAR's order; a hard link becomes a file of its own, as in the store."""
    files: dict[bytes, File] = {}
    found: list[Entry] = []
    for entry in entries:
        if entry.path.count(b"/") + 1 >= MAX_DEPTH:
            raise TooDeep(entry.path)
        if isinstance(entry, HardLink):
            files[entry.path] = replace(files[entry.existing], path=entry.path)
            found.append(files[entry.path])
            continue
        if isinstance(entry, File):
            files[entry.path] = entry
        found.append(entry)
    # Names hold no NUL, so the content of a directory sorts directly behind it.
    return sorted(found, key=lambda entry: entry.path.replace(b"/", b"\0"))
