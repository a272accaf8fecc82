"""Rebuild the database from the objects present and their sidecars.

A new database is written in a directory of its own and put in place by replacing one symbolic
link, so the old one is in use until the new one is complete. Processes that have the old one open
notice the change when they next take the store's lock (`Database.refresh`).
"""

from __future__ import annotations

import contextlib
import os

from denizen.errors import BadInput, DenizenError
from denizen.formats.storepath import BadStorePath, StorePath, from_base
from denizen.store import sidecar
from denizen.store.durability import file_system_of, sync
from denizen.store.progress import ignore
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.store.layout import StoreLayout
    from denizen.store.object_info import ObjectInfo
    from denizen.store.progress import Told

_PREFIX = b"db-"


class Rebuilt(Value):
    """The result of a rebuild.

    Attributes:
        registered: number of objects that are valid now.
        left_out: objects that are present but could not be registered, each with the reason.
    """

    registered: int
    left_out: tuple[tuple[StorePath, str], ...]


def rebuild(layout: StoreLayout, told: Told = ignore) -> Rebuilt:
    """Replace the database by one made from the sidecars. The caller holds the store's lock.

    `told` is called with 1 for each sidecar read.

    An object that mentions an absent one is left out, and so in turn are the objects that mention it.

    Raises:
        OSError: a file could not be read or written; the old database is still in place.
        DatabaseFailed: the new database could not be written; the old one is still in place.
    """
    from denizen.store.database import Database
    from denizen.store.database_file import create

    descriptor = file_system_of(layout.state)
    try:
        infos, left_out = read_sidecars(layout, told)
        kept, more = _closed(infos)
        name = _PREFIX + os.urandom(6).hex().encode()
        directory = layout.state + b"/" + name
        os.mkdir(directory, 0o755)
        create(directory)
        fresh = Database(directory)
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
    """Return the sidecars' infos of the objects present, and the objects without a usable sidecar.

    The second value pairs each such object with the reason.
    """
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
    """Return the objects in the store directory, registered or not, sorted."""
    found: list[StorePath] = []
    for name in os.listdir(layout.physical):
        with contextlib.suppress(BadStorePath, BadInput):
            found.append(from_base(name))
    return sorted(found)


def read_sidecar(layout: StoreLayout, path: StorePath) -> ObjectInfo:
    """Return the info in an object's sidecar. Raises OSError and BadSidecar."""
    with open(layout.sidecar_of(path), "rb") as stream:
        return sidecar.read(stream.read(sidecar.MAX_SIZE), path)


def _closed(infos: dict[StorePath, ObjectInfo]) -> tuple[list[ObjectInfo], list[tuple[StorePath, str]]]:
    """Return the objects whose references are all present, and the others with the reason."""
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
            import shutil  # with its compressors 5 ms, and a new store has no other

            path = layout.state + b"/" + other
            shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
