"""Import from a binary cache; a closure that was made for another store directory is relocated on the way in.

Archives are checked against their signatures first, as they are. Then each file and link is changed for this
store's directory: links become relative, as all links in the store are, and what else mentions the other
directory mentions the place of this store.
"""

from __future__ import annotations

import os
import posixpath

from denizen.formats import storepath
from denizen.formats.file_tree import File, Symlink
from denizen.relocate.prefix import Prefix
from denizen.relocate.relocate_file import relocate_file
from denizen.store.binary_cache import Moving, import_closure, store_dir_of
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from denizen.formats.file_tree import Entry
    from denizen.formats.signature import PublicKey
    from denizen.formats.storepath import StorePath
    from denizen.store.local import Store
    from denizen.store.object_info import ObjectInfo


class Imported(Value):
    """The result.

    Attributes:
        added: the objects, each after those that it references.
        store_dir: the store directory that they were made for, if it is another; else None.
        left: for each object with mentions of that directory that could not be changed, how many.
    """

    added: tuple[ObjectInfo, ...]
    store_dir: bytes | None
    left: tuple[tuple[StorePath, int], ...]


def import_relocated(
    store: Store,
    cache: bytes,
    names: Sequence[str],
    trusted: Sequence[PublicKey],
    told: Callable[[int], None],
) -> Imported:
    """Copy objects and all they reference from a binary cache in a directory.

    Args:
        store: the store.
        cache: the cache's directory.
        names: the objects: their paths, in this store or in the cache's store directory, or bare names.
        trusted: the keys of which one must have signed each object.
        told: called with the number of bytes read since the last call.

    Raises:
        BadStorePath: a name is not an object's. Also the errors of `import_closure`.
    """
    other = store_dir_of(cache)
    if other in (None, store.layout.logical):
        wanted = [_object(store, name, None) for name in names]
        return Imported(tuple(import_closure(store, cache, wanted, trusted, told=told)), None, ())
    assert other is not None
    left: dict[StorePath, int] = {}
    mover = _Mover(Prefix(other, store.layout.physical), left)
    wanted = [_object(store, name, other) for name in names]
    moving = Moving(other, mover.rewrite)
    added = import_closure(store, cache, wanted, trusted, told=told, moved=moving)
    return Imported(tuple(added), other, tuple(left.items()))


def _object(store: Store, name: str, other: bytes | None) -> StorePath:
    raw = os.fsencode(name)
    if other is not None and raw.startswith(other + b"/"):
        return storepath.from_base(raw[len(other) + 1 :].split(b"/")[0])
    if b"/" not in raw:
        return storepath.from_base(raw)
    return store.path_at(os.path.abspath(raw))


class _Mover:
    """The change of the entries of objects, and the count of what could not be changed."""

    def __init__(self, prefix: Prefix, left: dict[StorePath, int]) -> None:
        self._prefix = prefix
        self._left = left

    def rewrite(self, path: StorePath, entries: Iterable[Entry]) -> Iterator[Entry]:
        """Yield the entries of an object for the new store directory."""
        for entry in entries:
            match entry:
                case Symlink():
                    yield self._link(path, entry)
                case File():
                    yield self._file(path, entry)
                case _:
                    yield entry

    def _link(self, path: StorePath, link: Symlink) -> Symlink:
        if self._prefix.moved(link.target) == link.target:
            return link
        home = posixpath.dirname(posixpath.join(path.inside(self._prefix.old), link.path))
        return replace(link, target=posixpath.relpath(link.target, home))

    def _file(self, path: StorePath, file: File) -> File:
        content = b"".join(map(bytes, file.content))
        done = relocate_file(content, self._prefix)
        if done.left:
            self._left[path] = self._left.get(path, 0) + len(done.left)
        new = content if done.content is None else done.content
        return replace(file, size=len(new), content=(new,))
