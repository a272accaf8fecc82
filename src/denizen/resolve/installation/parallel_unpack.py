"""Parallel unpacking of many packages into the store.

Each package becomes the output of its derivation (`builtin:unpack-deb`), by the same code. When derivations
are realised one after another, every .deb is stored too and every object is synced by itself: 54 packages
cost 430 syncs, which take most of the time when other processes write to the disk. Here a .deb is read from
the cache, its hash is checked again, and all objects are synced and registered together.
"""

from __future__ import annotations

import os
from functools import partial

from denizen.build.builtin_derivations import OUT
from denizen.build.package_unpack import PackageFile, unpack_by_helper
from denizen.build.package_unpack import work as unpacked
from denizen.formats.archive_tree import Layout
from denizen.process_pool import Helpers
from denizen.store.staged_tree import Adoption
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.build.derivation import Sealed
    from denizen.build.read_packages import ReadPackages
    from denizen.build.realise import Listener
    from denizen.store.object_staging import Work


class UnpackTask(Value):
    """A package that is to be unpacked.

    Attributes:
        unpack: the derivation that describes it.
        deb: path of the package file.
        sha256: its promised hash, in hex.
    """

    unpack: Sealed
    deb: bytes
    sha256: bytes


def unpack_all(
    work: Work, tasks: Sequence[UnpackTask], jobs: int, listener: Listener, read: ReadPackages
) -> None:
    """Make the outputs of the tasks' derivations valid; the .drv files must be valid already.

    `read` holds no package afterwards.

    Raises:
        NotPromised: a file does not have the promised hash.
        NotUnpacked: a file has the right hash and cannot be unpacked.
        HelperDied: a process that unpacked was killed.
        DiskFailed: the store cannot be written.
    """
    if not tasks:  # a union of packages that are all valid
        read.clear()
        return
    from concurrent.futures import ThreadPoolExecutor, as_completed

    # The largest first: if it began last, one process would work on while the others have finished.
    ordered = sorted(tasks, key=lambda task: -os.path.getsize(task.deb))
    count = min(jobs, len(ordered))
    unpacking = partial(unpacked, read=read)
    with Helpers(unpacking, count) as helpers, ThreadPoolExecutor(count, "unpack") as pool:
        try:
            done = {pool.submit(_unpack, helpers, task, work.new_tree()): task for task in ordered}
            adoptions = []
            for future in as_completed(done):
                adoptions.append(future.result())
                listener.finished(done[future].unpack.path.name)
            work.adopt_all(adoptions)
        except BaseException:
            helpers.close()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
        finally:
            read.clear()


def _unpack(helpers: Helpers, task: UnpackTask, tree: bytes) -> Adoption:
    output = task.unpack.outputs[OUT]
    candidates = (output.digest.encode("ascii"),)
    package = PackageFile(task.deb, task.sha256, output.name, Layout.USR_MERGED, tree, candidates)
    return Adoption(tree, unpack_by_helper(helpers, package), output, (), task.unpack.path)
