"""Files that libraries open at fixed paths, from packages where the host lacks them (pure over a FileView).

A C library needs locales and converters, fontconfig its configuration and fonts, X11 its keyboards and
locales, at paths that were compiled in. The packages of a decision have these files. In the program's
namespace they are bound to those paths; files of the host are never covered.

Where several packages have parts of one directory, its entries are bound one by one, `MAX_BINDS` in all.
"""

from __future__ import annotations

import posixpath

from denizen.fileview import FileKind, exists
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.fileview import FileView

# Each is a path that one library opens; `*` stands for one name, an architecture or a version.
PATHS = (
    b"usr/lib/locale/*",  # glibc locale/findlocale.c; libc-bin has C.utf8
    b"usr/lib/*/gconv",  # glibc iconv/gconv_conf.c
    b"etc/fonts",  # fontconfig fcinit.c
    b"usr/share/fontconfig",
    b"usr/share/fonts/*",
    b"usr/share/X11/locale",  # libX11 modules/lc
    b"usr/share/X11/xkb",  # libxkbcommon src/context.c
    b"usr/share/libdrm",
    b"usr/share/zoneinfo",  # glibc time/tzfile.c; a zone that is not found is UTC, silently
    b"etc/services",  # glibc nss/nss_files
    b"etc/protocols",
    b"etc/mime.types",
    b"usr/share/alsa",  # alsa-lib src/conf.c
    b"usr/lib/python3*",  # CPython Modules/getpath.py: a Python that a program embeds
)
MAX_BINDS = 1_000


@value
class FixedPathResource:
    """A file or directory to be bound at an absolute path."""

    target: bytes
    source: bytes
    directory: bool


def fixed_path_resources(view: FileView, trees: Sequence[bytes]) -> tuple[FixedPathResource, ...]:
    """Return the files and directories of the package trees whose paths the host lacks, in PATHS order."""
    found: dict[bytes, FixedPathResource] = {}
    for pattern in PATHS:
        inside = dict.fromkeys(path for tree in trees for path in _matching(view, tree, pattern))
        for path in inside:
            if not exists(view, b"/" + path):
                sources = [each for tree in trees if exists(view, each := posixpath.join(tree, path))]
                for one in _merged(view, b"/" + path, sources):
                    found.setdefault(one.target, one)
    return tuple(found.values())[:MAX_BINDS]


def _merged(view: FileView, target: bytes, sources: Sequence[bytes]) -> Iterator[FixedPathResource]:
    """Yield a single source as a whole; of several directories yield each entry."""
    kinds = [view.stat(source).kind for source in sources]
    if len(sources) == 1 or kinds[0] is not FileKind.DIRECTORY:
        yield FixedPathResource(target, sources[0], kinds[0] is FileKind.DIRECTORY)
        return
    inside = [source for source, kind in zip(sources, kinds, strict=True) if kind is FileKind.DIRECTORY]
    names = dict.fromkeys(name for source in inside for name in view.listdir(source))
    for name in names:
        holders = [each for source in inside if exists(view, each := posixpath.join(source, name))]
        if holders:
            yield from _merged(view, posixpath.join(target, name), holders)


def _matching(view: FileView, tree: bytes, pattern: bytes) -> Iterator[bytes]:
    """Yield the paths below a tree that match the pattern, relative to it."""
    paths = [b""]
    for part in pattern.split(b"/"):
        stem, star, _ = part.partition(b"*")
        paths = [
            posixpath.join(path, name)
            for path in paths
            for name in (_names(view, posixpath.join(tree, path)) if star else (part,))
            if name.startswith(stem)
        ]
    yield from (path for path in paths if exists(view, posixpath.join(tree, path)))


def _names(view: FileView, directory: bytes) -> tuple[bytes, ...]:
    try:
        return view.listdir(directory)
    except OSError:
        return ()
