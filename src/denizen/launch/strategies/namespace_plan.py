"""The plan by which `denizen-enter` puts the loader at a program's interpreter path, in a namespace (pure).

There are two cases. If the host has a dynamic linker there, it is first bound to another path, so that the
loader can pass the host's own programs on to it, and the loader is bound over it. If it has none, the nearest
existing directory is mirrored, entry by entry, in a file system in which the missing names can be made: on a
host without /lib64 that is /.

The operations are those of loader/enter/enter.c.
"""

from __future__ import annotations

import posixpath

from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.fileview import FileView
    from denizen.launch.resources.fixed_paths import FixedPathResource


class LoaderMountPoint(Value):
    """The place where the loader has to appear.

    Attributes:
        path: the interpreter's path with links resolved.
        ldso: whether the host has a file there.
        ancestor: the nearest directory that exists, if it has none.
    """

    path: bytes
    ldso: bool
    ancestor: bytes = b""


def mount_point_for(view: FileView, interpreter: bytes) -> LoaderMountPoint:
    """Return the place for a program that names `interpreter` (absolute). Raises OSError."""
    try:
        return LoaderMountPoint(view.realpath(interpreter), ldso=True)
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
    return LoaderMountPoint(posixpath.join(ancestor, *rest), ldso=False, ancestor=ancestor)


def bind_resources(
    view: FileView, resources: Sequence[FixedPathResource], done: Sequence[bytes], stage: bytes
) -> tuple[bytes, ...]:
    """Return the steps after `done` that bind these files, which the host lacks. Raises OSError."""
    mirrored = {done[at + 1] for at, word in enumerate(done) if word == b"mirror"}
    made = {done[at + 1] for at, word in enumerate(done) if word == b"dir"}
    steps: list[bytes] = []
    for one in resources:
        ancestor, missing = _nearest(view, posixpath.dirname(one.target))
        if ancestor not in mirrored and ancestor not in made:
            mirrored.add(ancestor)
            steps += [b"mirror", ancestor, stage]
        for directory in missing:
            if directory not in made:
                made.add(directory)
                steps += [b"dir", directory]
        if one.linked:
            steps += [b"symlink", one.source, one.target]
        else:
            steps += [b"dir" if one.directory else b"file", one.target, b"bind", one.source, one.target]
    return tuple(steps)


def _nearest(view: FileView, directory: bytes) -> tuple[bytes, list[bytes]]:
    """Return the nearest existing parent with links resolved, and the missing ones, outermost first."""
    missing: list[bytes] = []
    while True:
        try:
            return view.realpath(directory), missing
        except FileNotFoundError:
            missing.insert(0, directory)
            directory = posixpath.dirname(directory)


class InterpreterMount(Value):
    """An interpreter path with the loader that appears there.

    Attributes:
        spot: the place.
        loader: path of the loader.
        hidden: path of an empty file, at which the host's dynamic linker appears if there is one at the spot.
    """

    mount_point: LoaderMountPoint
    loader: bytes
    hidden: bytes


def operations(services: Sequence[InterpreterMount], stage: bytes) -> tuple[bytes, ...]:
    """Return the operations of `denizen-enter`, in order; `stage` is an empty directory."""
    steps = [b"private"]
    for one in services:
        if one.mount_point.ldso:
            steps += [b"aside", one.mount_point.path, one.hidden, b"bind", one.loader, one.mount_point.path]
    made: set[bytes] = set()
    # The outermost first: a mirror shows the earlier mounts below it, but not later ones.
    for one in sorted(services, key=lambda each: each.mount_point.ancestor.count(b"/")):
        if not one.mount_point.ldso:
            steps += _made(one.mount_point, made, stage)
            steps += [b"file", one.mount_point.path, b"bind", one.loader, one.mount_point.path]
    return tuple(steps)


def _made(mount_point: LoaderMountPoint, made: set[bytes], stage: bytes) -> list[bytes]:
    """Return the steps that make the spot's directory, without those in `made`."""
    steps = [] if mount_point.ancestor in made else [b"mirror", mount_point.ancestor, stage]
    made.add(mount_point.ancestor)
    directory = mount_point.ancestor
    for name in posixpath.relpath(posixpath.dirname(mount_point.path), mount_point.ancestor).split(b"/"):
        directory = posixpath.normpath(posixpath.join(directory, name))
        if directory not in made:
            made.add(directory)
            steps += [b"dir", directory]
    return steps
