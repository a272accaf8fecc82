"""Files that libraries look for at fixed paths, shown there where the host has none (pure over a FileView).

A C library wants locales and converters, fontconfig its configuration and fonts, X11 its keyboards and
locales: at paths that were compiled in. The packages a decision needs hold them. In a namespace of the
program's own they are bound to those paths; what the host has of its own is never covered.

Where several packages have parts of one directory its entries are bound each by itself, `MAX_BINDS` in all.
"""

from __future__ import annotations

import posixpath

from denizen.fileview import FileKind
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.fileview import FileView

# Each is what one library looks for as a whole; `*` is one name, for the architecture or a version.
PATHS = (
    b"usr/lib/locale/*",  # glibc locale/findlocale.c; libc-bin has C.utf8
    b"usr/lib/*/gconv",  # glibc iconv/gconv_conf.c
    b"etc/fonts",  # fontconfig fcinit.c
    b"usr/share/fontconfig",
    b"usr/share/fonts/*",
    b"usr/share/X11/locale",  # libX11 modules/lc
    b"usr/share/X11/xkb",  # libxkbcommon src/context.c
    b"usr/share/libdrm",
    b"usr/lib/python3*",  # CPython Modules/getpath.py: a Python that a program embeds
)
MAX_BINDS = 1_000


@value
class Furnishing:
    """What is to appear at an absolute path."""

    target: bytes
    source: bytes
    directory: bool


def fixed_path_resources(view: FileView, trees: Sequence[bytes]) -> tuple[Furnishing, ...]:
    """What of these package trees the host has nothing of, in the order of PATHS."""
    found: dict[bytes, Furnishing] = {}
    for pattern in PATHS:
        inside = dict.fromkeys(path for tree in trees for path in _matching(view, tree, pattern))
        for path in inside:
            if not _exists(view, b"/" + path):
                sources = [each for tree in trees if _exists(view, each := posixpath.join(tree, path))]
                for one in _merged(view, b"/" + path, sources):
                    found.setdefault(one.target, one)
    return tuple(found.values())[:MAX_BINDS]


def _merged(view: FileView, target: bytes, sources: Sequence[bytes]) -> Iterator[Furnishing]:
    """One source whole; of several directories each entry."""
    kinds = [view.stat(source).kind for source in sources]
    if len(sources) == 1 or kinds[0] is not FileKind.DIRECTORY:
        yield Furnishing(target, sources[0], kinds[0] is FileKind.DIRECTORY)
        return
    inside = [source for source, kind in zip(sources, kinds, strict=True) if kind is FileKind.DIRECTORY]
    names = dict.fromkeys(name for source in inside for name in view.listdir(source))
    for name in names:
        holders = [each for source in inside if _exists(view, each := posixpath.join(source, name))]
        if holders:
            yield from _merged(view, posixpath.join(target, name), holders)


def _matching(view: FileView, tree: bytes, pattern: bytes) -> Iterator[bytes]:
    """Paths below a tree, from it."""
    paths = [b""]
    for part in pattern.split(b"/"):
        stem, star, _ = part.partition(b"*")
        paths = [
            posixpath.join(path, name)
            for path in paths
            for name in (_names(view, posixpath.join(tree, path)) if star else (part,))
            if name.startswith(stem)
        ]
    yield from (path for path in paths if _exists(view, posixpath.join(tree, path)))


def _names(view: FileView, directory: bytes) -> tuple[bytes, ...]:
    try:
        return view.listdir(directory)
    except OSError:
        return ()


def _exists(view: FileView, path: bytes) -> bool:
    try:
        view.stat(path)
    except OSError:
        return False
    return True
