"""The database again, from the objects and their sidecars.

A new database is written in a directory of its own and put in place by replacing one symbolic
link, so the old one serves until the new one is complete. Whatever other processes hold open of the old one,
they notice when they next take the store's lock.
"""

from __future__ import annotations

import contextlib
import os
import shutil

from denizen.errors import BadInput, DenizenError
from denizen.formats.storepath import BadStorePath, StorePath, from_base
from denizen.store import sidecar
from denizen.store.progress import ignore
from denizen.store.sync import file_system_of, sync
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.store.info import ObjectInfo
    from denizen.store.layout import StoreLayout
    from denizen.store.progress import Told

_PREFIX = b"db-"


@value
class Rebuilt:
    """What a rebuild came to.

    Attributes:
        registered: how many objects are valid now.
        left_out: objects that are there but cannot be registered, each with the reason.
    """

    registered: int
    left_out: tuple[tuple[StorePath, str], ...]


def rebuild(layout: StoreLayout, told: Told = ignore) -> Rebuilt:
    """Replace the database by one made from the sidecars. The store's lock is held.

    `told` hears of each sidecar read.

    An object that mentions one which is gone is left out, and so in turn is what mentions it.

    Raises:
        OSError: something could not be read or written; the old database is still in place.
        DatabaseFailed: the new one could not be written; likewise.
    """
    from denizen.store import database

    descriptor = file_system_of(layout.state)
    try:
        infos, left_out = read_sidecars(layout, told)
        kept, more = _closed(infos)
        name = _PREFIX + os.urandom(6).hex().encode()
        directory = layout.state + b"/" + name
        os.mkdir(directory, 0o755)
        database.create(directory)
        fresh = database.Database(directory)
        fresh.register(kept)
        fresh.close()
        sync(descriptor)
        _put_in_place(layout, name)
        sync(descriptor)
    finally:
        os.close(descriptor)
    _remove_others(layout, name)
    return Rebuilt(len(kept), (*left_out, *more))


def read_sidecars(
    layout: StoreLayout, told: Told = ignore
) -> tuple[dict[StorePath, ObjectInfo], list[tuple[StorePath, str]]]:
    """What the sidecars say of the objects that are there, and of which objects they say nothing usable."""
    infos: dict[StorePath, ObjectInfo] = {}
    left_out: list[tuple[StorePath, str]] = []
    for path in objects_present(layout):
        try:
            infos[path] = read_sidecar(layout, path)
        except FileNotFoundError:
            left_out.append((path, "it has no sidecar"))
        except DenizenError as error:
            left_out.append((path, str(error)))
        told(1)
    return infos, left_out


def objects_present(layout: StoreLayout) -> list[StorePath]:
    """The objects in the store directory, registered or not, sorted."""
    found: list[StorePath] = []
    for name in os.listdir(layout.physical):
        with contextlib.suppress(BadStorePath, BadInput):
            found.append(from_base(name))
    return sorted(found)


def read_sidecar(layout: StoreLayout, path: StorePath) -> ObjectInfo:
    """What the sidecar of an object says. Raises OSError and BadSidecar."""
    with open(layout.sidecar_of(path), "rb") as stream:
        return sidecar.read(stream.read(sidecar.MAX_SIZE), path)


def _closed(infos: dict[StorePath, ObjectInfo]) -> tuple[list[ObjectInfo], list[tuple[StorePath, str]]]:
    """Those whose references are all there, and those that are not, with the reason."""
    kept = dict(infos)
    left_out: list[tuple[StorePath, str]] = []
    while True:
        gone = {
            path: next(r for r in info.references if r not in kept)
            for path, info in kept.items()
            if not kept.keys() >= set(info.references)
        }
        if not gone:
            return list(kept.values()), left_out
        left_out += [(path, f"it references {reference}, which is gone") for path, reference in gone.items()]
        for path in gone:
            del kept[path]


def _put_in_place(layout: StoreLayout, name: bytes) -> None:
    temporary = layout.state + b"/" + name + b".link"
    os.symlink(name, temporary)
    os.rename(temporary, layout.database)


def _remove_others(layout: StoreLayout, name: bytes) -> None:
    for other in os.listdir(layout.state):
        if other.startswith(_PREFIX) and other != name:
            path = layout.state + b"/" + other
            shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
