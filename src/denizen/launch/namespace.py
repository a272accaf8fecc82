"""The plan by which `denizen-enter` puts the loader where a program looks for its interpreter (pure).

Two cases. Where the host has a dynamic linker there, that one is bound to a path of ours first, so that the
loader can pass the host's own programs on to it, and the loader over it. Where it has none, the nearest
directory that exists is mirrored, entry by entry, in a file system in which the missing names can be made:
on a host without /lib64 that is /.

The operations are loader/enter/enter.c's.
"""

from __future__ import annotations

import posixpath

from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.fileview import FileView
    from denizen.launch.furnishing import Furnishing

# What a host keeps for itself: programs there are its own, and need no decision.
HOST_PREFIXES = (b"/usr/", b"/bin/", b"/sbin/", b"/lib/", b"/lib64/")


@value
class Spot:
    """Where the loader has to appear.

    Attributes:
        path: the interpreter's path with links resolved.
        ldso: whether the host has a file there.
        ancestor: the nearest directory that exists, where it has none.
    """

    path: bytes
    ldso: bool
    ancestor: bytes = b""


def spot_for(view: FileView, interpreter: bytes) -> Spot:
    """Where a program that names `interpreter` (absolute) is served. Raises OSError."""
    try:
        return Spot(view.realpath(interpreter), ldso=True)
    except FileNotFoundError:
        pass
    ancestor = posixpath.join(b"/", interpreter)
    rest: list[bytes] = []
    while True:
        ancestor, name = posixpath.split(ancestor)
        rest.insert(0, name)
        try:
            ancestor = view.realpath(ancestor)
            break
        except FileNotFoundError:
            continue
    return Spot(posixpath.join(ancestor, *rest), ldso=False, ancestor=ancestor)


def furnish(
    view: FileView, furnishings: Sequence[Furnishing], done: Sequence[bytes], stage: bytes
) -> tuple[bytes, ...]:
    """What to do after `done` so that these appear, which the host has nothing of. Raises OSError."""
    mirrored = {done[at + 1] for at, word in enumerate(done) if word == b"mirror"}
    steps: list[bytes] = []
    made: set[bytes] = set()
    for one in furnishings:
        ancestor, missing = _nearest(view, posixpath.dirname(one.target))
        if ancestor not in mirrored:
            mirrored.add(ancestor)
            steps += [b"mirror", ancestor, stage]
        for directory in missing:
            if directory not in made:
                made.add(directory)
                steps += [b"dir", directory]
        steps += [b"dir" if one.directory else b"file", one.target, b"bind", one.source, one.target]
    return tuple(steps)


def _nearest(view: FileView, directory: bytes) -> tuple[bytes, list[bytes]]:
    """The nearest directory above that exists, links resolved, and those between, the outermost first."""
    missing: list[bytes] = []
    while True:
        try:
            return view.realpath(directory), missing
        except FileNotFoundError:
            missing.insert(0, directory)
            directory = posixpath.dirname(directory)


def operations(spot: Spot, loader: bytes, hidden: bytes, stage: bytes) -> tuple[bytes, ...]:
    """What to do, in order.

    Args:
        spot: where.
        loader: the loader's file.
        hidden: an empty file; the host's own dynamic linker appears there.
        stage: an empty directory.
    """
    if spot.ldso:
        return (b"private", b"aside", spot.path, hidden, b"bind", loader, spot.path)
    steps = [b"private", b"mirror", spot.ancestor, stage]
    directory = spot.ancestor
    for name in posixpath.relpath(posixpath.dirname(spot.path), spot.ancestor).split(b"/"):
        if name != b".":
            directory = posixpath.join(directory, name)
            steps += [b"dir", directory]
    return (*steps, b"file", spot.path, b"bind", loader, spot.path)
