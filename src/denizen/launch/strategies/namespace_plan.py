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
    from denizen.launch.resources.fixed_paths import Furnishing

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


@value
class Service:
    """A place of an interpreter, and what appears there.

    Attributes:
        spot: where.
        loader: the loader's file.
        hidden: an empty file; where the host has a dynamic linker at the spot, that appears there.
    """

    spot: Spot
    loader: bytes
    hidden: bytes


def operations(services: Sequence[Service], stage: bytes) -> tuple[bytes, ...]:
    """What to do, in order; `stage` is an empty directory."""
    steps = [b"private"]
    for one in services:
        if one.spot.ldso:
            steps += [b"aside", one.spot.path, one.hidden, b"bind", one.loader, one.spot.path]
    made: set[bytes] = set()
    # The outermost first: what is mirrored shows the mounts below it, but not those that come later.
    for one in sorted(services, key=lambda each: each.spot.ancestor.count(b"/")):
        if not one.spot.ldso:
            steps += _made(one.spot, made, stage)
            steps += [b"file", one.spot.path, b"bind", one.loader, one.spot.path]
    return tuple(steps)


def _made(spot: Spot, made: set[bytes], stage: bytes) -> list[bytes]:
    """The steps that make the spot's directory, but for what is made already."""
    steps = [] if spot.ancestor in made else [b"mirror", spot.ancestor, stage]
    made.add(spot.ancestor)
    directory = spot.ancestor
    for name in posixpath.relpath(posixpath.dirname(spot.path), spot.ancestor).split(b"/"):
        directory = posixpath.normpath(posixpath.join(directory, name))
        if directory not in made:
            made.add(directory)
            steps += [b"dir", directory]
    return steps
