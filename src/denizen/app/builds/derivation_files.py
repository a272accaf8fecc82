"""Files of derivations that are named on the command line."""

from __future__ import annotations

import os

from denizen.build.build_plan import add_derivation
from denizen.build.derivation import SUFFIX, input_paths
from denizen.disk_view import DiskView
from denizen.errors import DenizenError
from denizen.formats import aterm_parser, storepath
from denizen.formats.storepath import BadStorePath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.formats.storepath import StorePath
    from denizen.store.local import Store
    from denizen.store.object_staging import Work

# Derivations that are read from beside one file; Nix's of a desktop system has some 30,000.
_MOST_BESIDE = 200_000


class NotRead(DenizenError):
    """The error that a file named on the command line cannot be read."""

    path: str
    reason: str
    WHAT = "{path} cannot be read"
    WHY = "{reason:text}"


def read_derivation(path: str) -> bytes:
    """Return the content of a derivation's file. Raises NotRead."""
    try:
        return bytes(DiskView().read(os.fsencode(path))[: aterm_parser.MAX_SIZE + 1])
    except OSError as error:
        raise NotRead(path, error.strerror or str(error)) from error


def derivation_named(store: Store, file: str) -> StorePath:
    """Return the derivation that an argument names: one in the store, or a file elsewhere.

    A file elsewhere is added to the store, with those derivations it needs that the store has not and that
    lie beside the file under their names in the store, as a copy of a store's derivations has them.

    Raises:
        NotRead: it, or one beside it, is not a derivation's file, or not the one that its name says.
        BadDerivationFile, BadStorePath, NoSource: it cannot be added.
    """
    raw = os.fsencode(os.path.abspath(file))
    for directory in (store.layout.physical, store.layout.logical):
        if os.path.dirname(raw) == directory:
            return storepath.parse(raw, directory)
    base = os.path.basename(file)
    if not base.endswith(SUFFIX):
        raise NotRead(file, f"a derivation's file is called NAME{SUFFIX}")
    content = read_derivation(file)
    with store.working() as work:
        _add_inputs_beside(store, work, os.path.dirname(file), content)
        return add_derivation(store, work, _name_in(base), content)


def _name_in(base: str) -> str:
    """Return the name of the derivation in a file of that base name, with a hash or without."""
    try:
        return storepath.from_base(base).name.removesuffix(SUFFIX)
    except BadStorePath:
        # A name without a hash is the user's own.
        return base.removesuffix(SUFFIX)


def _add_inputs_beside(store: Store, work: Work, directory: str, content: bytes) -> None:
    """Add the derivations that one needs and that lie in `directory`, each after those that it needs."""
    pending = _inputs_beside(store, work, directory, content)
    read: set[StorePath] = set()
    while pending:
        path = pending[-1]
        file = os.path.join(directory, path.base)
        text = read_derivation(file)
        further = [] if path in read else _inputs_beside(store, work, directory, text)
        if len(read) == _MOST_BESIDE:
            raise NotRead(file, f"more than {_MOST_BESIDE} derivations are needed")
        read.add(path)
        if further:
            pending += further
            continue
        pending.pop()
        if add_derivation(store, work, path.name.removesuffix(SUFFIX), text) != path:
            raise NotRead(file, "its content is not the derivation that its name says")


def _inputs_beside(store: Store, work: Work, directory: str, content: bytes) -> list[StorePath]:
    """Return the derivations that one needs, which the store has not and `directory` has."""
    needed = input_paths(aterm_parser.parse(content), store.layout.logical).keys()
    lacking = sorted(set(needed) - work.need(needed))
    return [path for path in lacking if os.path.lexists(os.path.join(directory, path.base))]
