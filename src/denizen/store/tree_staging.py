"""Writing of a tree under its temporary name, digested as it passes.

Imported by the first object that is added. What it needs is bound here once: an import inside a function
takes 2 us each time, and many objects are small.
"""

from __future__ import annotations

from denizen.nar import writer
from denizen.store.staged_tree import Staged
from denizen.store.trees.canonical import STORED
from denizen.store.trees.restore import restoring

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from denizen.formats.file_tree import Entry
    from denizen.store.progress import Told
    from denizen.store.trees.nar_hashing import Digester


def stage(entries: Iterable[Entry], directory: int, name: bytes, digester: Digester, told: Told) -> Staged:
    """Write entries, in a NAR's order, to `name` in the directory open as `directory`; return what is staged.

    `told` is called with the number of NAR bytes written since the last call.
    """
    for piece in writer.write(restoring(entries, directory, name, STORED)):
        digester.feed(piece)
        told(len(piece))
    return Staged(name, digester.result())
