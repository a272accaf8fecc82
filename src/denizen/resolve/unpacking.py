"""Many packages unpacked into the store at once.

Each becomes what its derivation says (`builtin:unpack-deb`), by the same code. Done one derivation after
another, every .deb is stored too and every object synced by itself: 54 packages cost 430 syncs, and with
other writers on the disk most of the time goes there. Here a .deb is read where it was fetched to, its hash
checked again, and all objects are synced and registered together.
"""

from __future__ import annotations

import hashlib
import os

from denizen.build.builders import NotUnpacked
from denizen.build.recipe import OUT
from denizen.errors import BadInput
from denizen.formats.deb import Deb
from denizen.formats.unpacking import Layout
from denizen.sources.base import BadHash
from denizen.store.failure import doing
from denizen.store.restore import ORDINARY, restore
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from io import FileIO

    from denizen.build.derivation import Sealed
    from denizen.build.realise import Listener
    from denizen.formats.storepath import StorePath
    from denizen.store.work import Work


@value
class Parcel:
    """A package to be unpacked.

    Attributes:
        unpack: the derivation that would do it.
        deb: where the package file lies.
        sha256: what it must hash to, in hex.
    """

    unpack: Sealed
    deb: bytes
    sha256: bytes


def unpack_all(work: Work, parcels: Sequence[Parcel], jobs: int, listener: Listener) -> None:
    """Make the outputs of the parcels' derivations valid; their .drv files must be.

    Raises:
        BadHash: a file is not the package that was promised.
        NotUnpacked: one has the right hash and cannot be unpacked.
        DiskFailed, NotStorable: the store cannot be written.
    """
    from concurrent.futures import ThreadPoolExecutor

    trees = [work.new_tree() for _ in parcels]
    pool = ThreadPoolExecutor(jobs, "unpack")
    try:
        # Decompression lets go of the interpreter's lock; digesting goes on in this thread meanwhile.
        done = [pool.submit(_unpack, parcel, tree) for parcel, tree in zip(parcels, trees, strict=True)]

        def coming() -> Iterator[tuple[bytes, StorePath, StorePath | None]]:
            for parcel, tree, future in zip(parcels, trees, done, strict=True):
                future.result()
                listener.finished(parcel.unpack.path.name)
                yield tree, parcel.unpack.outputs[OUT], parcel.unpack.path

        work.adopt_all(coming())
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _unpack(parcel: Parcel, tree: bytes) -> None:
    with doing("unpack", parcel.deb), open(parcel.deb, "rb", buffering=0) as stream:
        _check(stream, parcel)
        parent = os.open(os.path.dirname(tree), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            restore(Deb(stream).entries(Layout.USR_MERGED), parent, os.path.basename(tree), ORDINARY)
        except BadInput as error:
            raise NotUnpacked(parcel.unpack.outputs[OUT], str(error)) from error
        finally:
            os.close(parent)


def _check(stream: FileIO, parcel: Parcel) -> None:
    """No byte is unpacked before its hash is known to be right."""
    found = hashlib.file_digest(stream, "sha256").hexdigest().encode("ascii")
    if found != parcel.sha256:
        name = os.fsdecode(parcel.deb)
        raise BadHash(name, {name: f"it hashes to {found.decode()}"})
    stream.seek(0)
