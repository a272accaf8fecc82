"""A tree of links to the packages' files for fixed paths, for programs that are started without a namespace.

    <decisions>/resources/<decision>/usr/share/fonts/truetype
        -> <store>/<hash>-fonts-dejavu-core/usr/share/fonts/truetype

The library inside the program (loader/inside/places.c) asks this tree for what the host has nothing of.

A package's link may lead to what another package has (/usr/share/ghostscript/10.05.1/iccprofiles to
../../color/icc/ghostscript). A directory that is shown by one link would resolve it inside its own package, so a
directory with such a link is shown as a directory of links.
"""

from __future__ import annotations

import contextlib
import os
import shutil

from denizen.disk import make_directories

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.launch.resources.fixed_paths import FixedPathResource

# Entries of a directory that are looked at for links out of its package; fonts and icons have thousands.
_MAX_ENTRIES = 20_000


def make_resource_tree(top: bytes, resources: Sequence[FixedPathResource]) -> bytes:
    """Make the tree at `top`, replacing an older one; return its path, or b"" if it would be empty.

    Raises OSError.
    """
    temporary = b"%b.%d.tmp" % (top, os.getpid())
    shutil.rmtree(temporary, ignore_errors=True)
    for one in resources:
        make_directories(os.path.dirname(temporary + one.target), 0o700)
        show_by_links(temporary + one.target, one.source)
    shutil.rmtree(top, ignore_errors=True)
    if not resources:
        return b""
    os.rename(temporary, top)
    return top


def show_by_links(path: bytes, source: bytes) -> None:
    """Make a link at a path to a package's file or directory, with links out of the package as they are.

    What is there already stays. Raises OSError.
    """
    _show(path, source, _with_links_out(source))


def _show(path: bytes, source: bytes, opened: frozenset[bytes]) -> None:
    if source not in opened:
        with contextlib.suppress(FileExistsError):
            os.symlink(source, path)
        return
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o755)
    for name in os.listdir(source):
        inside = os.path.join(source, name)
        if _leads_out(inside):
            with contextlib.suppress(FileExistsError):
                os.symlink(os.readlink(inside), os.path.join(path, name))
        else:
            _show(os.path.join(path, name), inside, opened)


def _with_links_out(top: bytes) -> frozenset[bytes]:
    """Return the directories from `top` on that have a link out of the package, at any depth."""
    found: set[bytes] = set()
    seen = 0
    for directory, names, files in os.walk(top):
        seen += len(names) + len(files)
        if seen > _MAX_ENTRIES:
            break
        if any(_leads_out(os.path.join(directory, name)) for name in (*names, *files)):
            while directory not in found:
                found.add(directory)
                directory = directory if directory == top else os.path.dirname(directory)
    return frozenset(found)


def _leads_out(path: bytes) -> bool:
    """Tell whether a path is a link to something that its own package does not have."""
    return os.path.islink(path) and not os.path.exists(path)
