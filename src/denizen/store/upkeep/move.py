"""Move a whole store to another directory, on the same file system or another.

Nothing inside the store depends on its location: links inside are relative, and the logical directory
that went into the paths stays. Two things outside do: the links of indirect roots, which are changed to
the new location, and the path where commands look for the store, where a link to it is left (app/paths.py,
`store`, follows it). Other links into the store are the user's to change.

On the same file system this is one rename. To another, every object is copied through its NAR and checked
against its hash before the old store is removed, and the copy is complete before it gets its final name.
"""

from __future__ import annotations

import contextlib
import errno
import os

from denizen.disk import link_atomically, make_directories, written_by_owner
from denizen.errors import DenizenError
from denizen.nar import writer
from denizen.store import sidecar
from denizen.store.collection.remove import remove_path
from denizen.store.durability import file_system_of, sync
from denizen.store.errors import doing
from denizen.store.local import Store
from denizen.store.locks import live_sessions, store_lock
from denizen.store.nar_digest import Digest
from denizen.store.object_errors import WrongContent
from denizen.store.progress import ignore
from denizen.store.trees.canonical import STORED
from denizen.store.trees.nar_hashing import Digester
from denizen.store.trees.restore import restore_new, restoring
from denizen.store.trees.tree_reader import entries
from denizen.store.upkeep.rebuild import rebuild
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.store.object_info import ObjectInfo
    from denizen.store.progress import Told


class StoreInUse(DenizenError):
    """Operations are in progress in a store that is to be moved."""

    path: bytes
    count: int
    WHAT = "the store {path} cannot be moved now"
    WHY = "{count} other denizen processes are working in it"
    REMEDY = "run the command again once they have finished"


class Moved(Value):
    """The result of a move.

    Attributes:
        store: the store in its new place.
        astray: links of indirect roots that could not be changed and still point to the old place.
    """

    store: Store
    astray: tuple[bytes, ...]


def move(store: Store, destination: bytes, told: Told = ignore, usual: bytes | None = None) -> Moved:
    """Move the store to `destination`, which must not exist; return the store there.

    `told` is called once with 1 for each object copied (to another file system). `usual` is the path where
    commands look for the store: it becomes a link to `destination`, also after the next move. Moving to
    `usual` while it is such a link replaces the link by the store.

    Raises:
        StoreInUse: another operation is adding to the store.
        DiskFailed: a system call failed; the store is where it was.
        WrongContent: an object to be copied is damaged; the store is where it was.
    """
    old = store.layout
    with doing("move the store to", destination), store_lock(old):
        busy = len(live_sessions(old))
        if busy:
            raise StoreInUse(old.physical, busy)
        back = destination == usual and os.path.islink(destination)
        if os.path.lexists(destination) and not back:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), destination)
        parent = os.path.dirname(destination)
        make_directories(parent)
        links = [os.readlink(old.indirect + b"/" + name) for name in os.listdir(old.indirect)]
        if os.stat(parent).st_dev == os.stat(old.physical).st_dev:
            store.disconnect()
            if back:
                os.unlink(destination)
            os.rename(old.physical, destination)
        else:
            _copy(store, destination, told, back=back)
            store.disconnect()
        _sync(destination)
        astray = [link for link in links if not _repoint(link, old.physical, destination)]
    with doing("remove the old store", old.physical):
        gone = old.physical + b".denizen-moved"
        if os.path.lexists(old.physical):
            os.rename(old.physical, gone)
        if usual is not None and usual != destination:
            link_atomically(usual, destination)
        remove_path(gone)
    return Moved(Store.open(destination), tuple(astray))


def _copy(store: Store, destination: bytes, told: Told, *, back: bool) -> None:
    """Copy the store to `destination` on another file system; it appears there complete."""
    temporary = destination + b".denizen-move"
    remove_path(temporary)
    try:
        _copy_into(store, temporary, told)
    except BaseException:
        # A full disk has room again then; what a killed process left is removed by the next move.
        with contextlib.suppress(OSError):
            remove_path(temporary)
        raise
    if back:
        os.unlink(destination)
    os.rename(temporary, destination)


def _copy_into(store: Store, temporary: bytes, told: Told) -> None:
    with Store.create(temporary, store.layout.logical) as copy:
        descriptor = file_system_of(temporary)
        try:
            for info in store.database.infos():
                _copy_object(store, copy, info, descriptor)
                told(1)
            for roots in (store.layout.gcroots, store.layout.profiles):
                _copy_roots(roots, copy.layout.state)
            with copy.locked():
                rebuild(copy.layout)
            sync(descriptor)
        finally:
            os.close(descriptor)


def _copy_object(store: Store, copy: Store, info: ObjectInfo, directory: int) -> None:
    digester = Digester()
    name = info.path.base.encode("ascii")
    for piece in writer.write(restoring(entries(store.place_of(info.path)), directory, name, STORED)):
        digester.feed(piece)
    expected = Digest(info.nar_hash, info.nar_size)
    if digester.result() != expected:
        raise WrongContent(info.path, expected, digester.result())
    with open(copy.layout.sidecar_of(info.path), "xb", opener=written_by_owner) as stream:
        stream.write(sidecar.write(info))


def _copy_roots(source: bytes, state: bytes) -> None:
    """Copy a directory of links over the empty one in the new store."""
    name = os.path.basename(source)
    remove_path(state + b"/" + name)
    restore_new(entries(source), state + b"/" + name)


def _sync(directory: bytes) -> None:
    descriptor = file_system_of(directory)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


def _repoint(link: bytes, old: bytes, new: bytes) -> bool:
    """Change a link into the old store to lead into the new one.

    Return False if it still leads to the old.
    """
    try:
        target = os.readlink(link)
        if target.startswith(old + b"/"):
            temporary = link + b".denizen-move"
            os.symlink(new + target[len(old) :], temporary)
            os.rename(temporary, link)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
