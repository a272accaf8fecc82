"""Many files of packages in few mounts: directories of a tree of links, bound where the host has none.

A mount is a step of its own in a decision, which has no room for thousands.
"""

from __future__ import annotations

import os
import posixpath

from denizen.fileview import exists
from denizen.launch.resources.fixed_paths import MAX_BINDS, FixedPathResource
from denizen.launch.resources.resource_tree import make_resource_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.fileview import FileView


def gathered(
    view: FileView, resources: Sequence[FixedPathResource], top: bytes
) -> tuple[FixedPathResource, ...]:
    """Return the resources, or what shows all of them where they are too many for mounts of their own.

    The tree is made at `top`, in place of an older one. Raises OSError.
    """
    if len(resources) <= MAX_BINDS:
        return tuple(resources)
    make_resource_tree(top, resources)
    places = dict.fromkeys(_highest_absent(view, one.target) for one in resources)
    return tuple(FixedPathResource(one, top + one, os.path.isdir(top + one)) for one in places)


def _highest_absent(view: FileView, path: bytes) -> bytes:
    """Return the outermost part of a path that the host lacks."""
    while not exists(view, parent := posixpath.dirname(path)):
        path = parent
    return path
