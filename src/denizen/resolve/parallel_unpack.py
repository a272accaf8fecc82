"""Many packages unpacked into the store at once.

Each becomes what its derivation says (`builtin:unpack-deb`), by the same code. Done one derivation after
another, every .deb is stored too and every object synced by itself: 54 packages cost 430 syncs, and with
other writers on the disk most of the time goes there. Here a .deb is read where it was fetched to, its hash
checked again, and all objects are synced and registered together.
"""

from __future__ import annotations

import os

from denizen.build.builtin_derivations import OUT
from denizen.build.package_unpack import PackageFile, stow
from denizen.build.package_unpack import work as unpacking
from denizen.formats.archive_tree import Layout
from denizen.helpers import Helpers
from denizen.store.work import Adoption
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.build.derivation import Sealed
    from denizen.build.realise import Listener
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
        NotPromised: a file is not the package that was promised.
        NotUnpacked: one has the right hash and cannot be unpacked.
        HelperDied: a process that unpacked was killed.
        DiskFailed: the store cannot be written.
    """
    from concurrent.futures import ThreadPoolExecutor, as_completed

    # The largest first: one that begins last would have a processor to itself.
    ordered = sorted(parcels, key=lambda parcel: -os.path.getsize(parcel.deb))
    with Helpers(unpacking, min(jobs, len(ordered))) as helpers, ThreadPoolExecutor(jobs, "unpack") as pool:
        try:
            done = {pool.submit(_unpack, helpers, parcel, work.new_tree()): parcel for parcel in ordered}
            adoptions = []
            for future in as_completed(done):
                adoptions.append(future.result())
                listener.finished(done[future].unpack.path.name)
            work.adopt_all(adoptions)
        except BaseException:
            helpers.close()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _unpack(helpers: Helpers, parcel: Parcel, tree: bytes) -> Adoption:
    output = parcel.unpack.outputs[OUT]
    candidates = (output.digest.encode("ascii"),)
    package = PackageFile(parcel.deb, parcel.sha256, output.name, Layout.USR_MERGED, tree, candidates)
    return Adoption(tree, stow(helpers, package), output, (), parcel.unpack.path)
