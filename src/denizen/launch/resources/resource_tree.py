"""A tree of links to the packages' files for fixed paths, for programs that are started without a namespace.

    <decisions>/resources/<decision>/usr/share/fonts/truetype
        -> <store>/<hash>-fonts-dejavu-core/usr/share/fonts/truetype

The library inside the program (loader/inside/places.c) asks this tree for what the host has nothing of.
"""

from __future__ import annotations

import os
import shutil

from denizen.disk import make_directories

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.launch.resources.fixed_paths import FixedPathResource


def make_resource_tree(top: bytes, resources: Sequence[FixedPathResource]) -> bytes:
    """Make the tree at `top`, replacing an older one; return its path, or b"" if it would be empty.

    Raises OSError.
    """
    temporary = b"%b.%d.tmp" % (top, os.getpid())
    shutil.rmtree(temporary, ignore_errors=True)
    for one in resources:
        link = temporary + one.target
        make_directories(os.path.dirname(link), 0o700)
        os.symlink(one.source, link)
    shutil.rmtree(top, ignore_errors=True)
    if not resources:
        return b""
    os.rename(temporary, top)
    return top
