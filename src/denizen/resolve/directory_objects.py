"""The dynamic objects below a directory that are resolved together (pure over a FileView).

They are of one machine and one C library. The path of a file stands for that file alone. A Python tree,
node_modules or a plugin directory is resolved as the union of its objects: any of them may be loaded by a
program that runs there.

Limits: MAX_ENTRIES names and MAX_DEPTH levels are searched; a directory with more names, and the root of a
system, are refused. Links are not followed.
"""

from __future__ import annotations

import posixpath

from denizen import elf
from denizen.errors import BadInput
from denizen.fileview import FileKind
from denizen.machines import debian_name
from denizen.resolve.subject import is_linked
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from denizen.fileview import FileView

MAX_ENTRIES = 200_000
MAX_DEPTH = 32


class NoObjects(BadInput):
    """The error that a directory holds no file that a dynamic linker would load."""

    directory: bytes
    WHAT = "there is no dynamically linked program or library below {directory}"


class TooMuchToResolve(BadInput):
    """The error that a directory holds far more than a program with its libraries.

    Attributes:
        directory: as it was given.
        reason: how much.
    """

    directory: bytes
    reason: str
    WHAT = "the programs and libraries below {directory} are not looked for"
    WHY = "{reason:text}"
    REMEDY = "name the directory of one program"


class ObjectsToResolve(Value):
    """Objects to resolve together.

    Attributes:
        paths: of one machine and one C library.
        left_out: the number of objects for each other machine and C library: "arm64", "amd64 on musl".
    """

    paths: tuple[bytes, ...]
    left_out: Mapping[str, int]


def objects_to_resolve(view: FileView, path: bytes) -> ObjectsToResolve:
    """Return a program's own path, or the dynamic objects below a directory.

    Of a directory, those for the most frequent machine and C library are returned: node_modules and wheels
    have builds for several machines and for musl beside each other.

    Raises:
        OSError: a file or directory cannot be read.
        NoObjects: the directory holds no dynamic object.
        TooMuchToResolve: it is a whole system, or has too many files.
    """
    if view.stat(path).kind is not FileKind.DIRECTORY:
        return ObjectsToResolve((path,), {})
    found: dict[str, list[bytes]] = {}
    for file in _files(view, path):
        if platform := _platform_of(view, file):
            found.setdefault(platform, []).append(file)
    if not found:
        raise NoObjects(path)
    most = min(found, key=lambda platform: (-len(found[platform]), platform))
    others = {platform: len(found[platform]) for platform in sorted(found) if platform != most}
    return ObjectsToResolve(tuple(found[most]), others)


def added_objects(view: FileView, places: Iterable[bytes], program: bytes) -> tuple[bytes, ...]:
    """Return the dynamic objects at `places` (files or directories) for the program's machine and C library.

    Raises:
        OSError: a place does not exist.
        TooMuchToResolve: a place is a whole system, or has too many files.
    """
    places = tuple(places)
    if not places:
        return ()
    platform = _platform_of(view, program)
    found: dict[bytes, None] = {}
    for place in places:
        files = _files(view, place) if view.stat(place).kind is FileKind.DIRECTORY else [place]
        found |= dict.fromkeys(file for file in files if _platform_of(view, file) == platform)
    found.pop(program, None)
    return tuple(found)


def _files(view: FileView, directory: bytes) -> list[bytes]:
    """Return the files below a directory. Raises OSError, TooMuchToResolve."""
    if view.realpath(directory) == b"/":
        raise TooMuchToResolve(directory, "it is the root of a whole system")
    found: list[bytes] = []
    pending, left = [(directory, 0)], MAX_ENTRIES
    for here, depth in pending:
        names = view.listdir(here)
        left -= len(names)
        if left < 0:
            raise TooMuchToResolve(directory, f"there are more than {MAX_ENTRIES:,} files")
        for path in [posixpath.join(here, name) for name in names]:
            kind = view.lstat(path).kind
            if kind is FileKind.FILE:
                found.append(path)
            elif kind is FileKind.DIRECTORY and depth < MAX_DEPTH:
                pending.append((path, depth + 1))
    return found


def _platform_of(view: FileView, path: bytes) -> str:
    """Return the architecture and C library of a dynamic object; "" for any other file."""
    try:
        image = elf.read(view.read(path))
        if image.dynamic is None or not is_linked(image):
            return ""
        musl = b"/ld-musl-" in (image.interpreter or b"")
        musl = musl or any(name.startswith(b"libc.musl-") for name in image.dynamic.needed)
    except (OSError, ValueError, BadInput):
        return ""
    architecture = debian_name(image.header.architecture)
    return f"{architecture} on musl" if architecture and musl else architecture
