"""The authorities that TLS libraries believe, at the paths where they look for them (pure over a FileView).

Debian's ca-certificates has a file for each authority; its maintainer script joins them. A
host's own file by another distribution's name is taken instead: it may list an authority of its owner's.
"""

from __future__ import annotations

import posixpath

from denizen.launch.resources.command_paths import is_missing
from denizen.sources.tls_authorities import BUNDLES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.fileview import FileView

_AUTHORITIES = b"usr/share/ca-certificates/mozilla"


def authorities(view: FileView, trees: Sequence[bytes]) -> bytes:
    """Return the certificates that package trees have, as one file's content; b"" for none."""
    for tree in trees:
        directory = posixpath.join(tree, _AUTHORITIES)
        try:
            names = sorted(view.listdir(directory))
        except OSError:
            continue
        files = [
            bytes(view.read(posixpath.join(directory, name))) for name in names if name.endswith(b".crt")
        ]
        return b"".join(content.rstrip(b"\n") + b"\n" for content in files)
    return b""


def missing_bundles(view: FileView) -> tuple[bytes, ...]:
    """Return the paths where a library may look and this host has nothing."""
    return tuple(path for path in BUNDLES if is_missing(view, path))
