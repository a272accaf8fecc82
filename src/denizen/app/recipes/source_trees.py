"""Files and directories of a project as sources in the store, without what building it leaves beside them.

A recipe's `path = "."` is the directory that `denizen build` writes denizen.lock and the link `result` to:
with them the source, and so all that is built from it, would be another after each build.
"""

from __future__ import annotations

import os

from denizen.formats.file_tree import Symlink
from denizen.formats.storepath import is_object_name
from denizen.store.errors import doing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.formats.file_tree import Entry
    from denizen.formats.storepath import StorePath
    from denizen.store.layout import StoreLayout
    from denizen.store.object_staging import Work

# Directories and files at the top of a source that are none of it: a repository's history, direnv's links.
_LEFT_OUT = (b".git", b".hg", b".svn", b".direnv", b"denizen.lock")


def add_source(work: Work, layout: StoreLayout, path: str) -> StorePath:
    """Return the object with the content of a file or directory, added to the store. Raises DiskFailed."""
    base = os.path.basename(path)
    raw = os.fsencode(path)
    with doing("add", raw):
        os.stat(path)
    stores = (layout.logical + b"/", layout.physical + b"/")
    return work.add(
        raw, base if is_object_name(base) else "source", lambda entry: _is_source(entry, stores)
    ).path


def _is_source(entry: Entry, stores: tuple[bytes, ...]) -> bool:
    """Tell whether an entry belongs to a source: not what is left out, nor a link to what was built."""
    top, _, below = entry.path.partition(b"/")
    if top in _LEFT_OUT:
        return False
    # Top itself has no name, and what is below a directory no link of ours.
    return not top or bool(below) or not (isinstance(entry, Symlink) and entry.target.startswith(stores))
