"""Paths of dynamic linkers that a program's children may name, beside its own (pure over a FileView).

The kernel takes a program's interpreter by its path alone: a child whose interpreter is not there fails with
ENOENT before denizen can notice it. So a namespace serves, beside the program's own interpreter:

    the usual ones that this host has       for programs whose libraries it lacks: two mounts each
    the usual ones it lacks                 where their directory is mirrored anyway, or has few entries
    those that files beside the program     of another machine's word size, another C library, or from
    name and this host lacks (`beside`)     /nix/store and /gnu/store, where the path cannot be guessed

A directory of the host's own commands is not searched: what lies there came with other packages, and /usr/bin
has a thousand files. What is served because a file beside the program says so is a path where nothing is,
called as dynamic linkers are, in the directories of systems: a file must not have a name of its choice made
(`/etc/ld.so.preload`), nor a directory mirrored that users write to, whose new names would be lost.

Limits: `MAX_FILES` files are looked at, `DEPTH` directories deep, `MAX_FOUND` paths taken.
"""

from __future__ import annotations

import posixpath
import re

from denizen.errors import BadInput
from denizen.fileview import FileKind, is_absent
from denizen.machines import MACHINES, by_elf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.fileview import FileView

MAX_FILES = 500
DEPTH = 3
MAX_FOUND = 8
_NAME = re.compile(rb"(ld|ld-[\w.-]+)\.so(\.\d+)?")
_OF_HOST = frozenset((b"/bin", b"/sbin", b"/usr/bin", b"/usr/sbin"))
_TREES = (b"/lib/", b"/lib32/", b"/lib64/", b"/libx32/", b"/usr/", b"/nix/store/", b"/gnu/store/")
_X = 0o111


def usual(kernel: str) -> tuple[tuple[bytes, str], ...]:
    """Return (path, the loader's machine) of the dynamic linkers that programs here commonly name.

    That of musl is also its C library, which other programs read at this path: an existing one is not
    covered.
    """
    ours = [one for one in MACHINES if one.loader and one.starts_on(kernel)]
    musl = [(b"/lib/ld-musl-%b.so.1" % one.loader.encode("ascii"), one.loader) for one in ours]
    return (*((one.interpreter, one.loader) for one in ours), *musl)


def is_musl(path: bytes) -> bool:
    """Tell whether a path is musl's dynamic linker, by its name."""
    return posixpath.basename(path).startswith(b"ld-musl-")


def beside(view: FileView, program: bytes, kernel: str) -> tuple[tuple[bytes, str], ...]:
    """Return (path, the loader's machine) of linkers that files beside `program` name and this host lacks."""
    directory = posixpath.dirname(program)
    if directory in _OF_HOST:
        return ()
    ours = {made for _, made in usual(kernel)}
    found: dict[bytes, str] = {}
    for path in _executables(view, directory, DEPTH, [MAX_FILES]):
        if path == program:  # its own is served anyway
            continue
        named = _named(view, path)
        if named is not None and named[1] in ours and named[0] not in found and _is_lacking(view, named[0]):
            found[named[0]] = named[1]
            if len(found) == MAX_FOUND:
                break
    return tuple(found.items())


def _executables(view: FileView, directory: bytes, depth: int, left: list[int]) -> Iterator[bytes]:
    """Yield executable regular files; `left` counts the files that may still be examined."""
    try:
        names = view.listdir(directory)
    except OSError:
        return
    for name in names:
        if not left[0]:
            return
        left[0] -= 1
        path = posixpath.join(directory, name)
        try:
            facts = view.lstat(path)
        except OSError:
            continue
        if facts.kind is FileKind.DIRECTORY and depth > 1:
            yield from _executables(view, path, depth - 1, left)
        elif facts.kind is FileKind.FILE and facts.mode & _X and b".so" not in name:
            yield path


def _named(view: FileView, path: bytes) -> tuple[bytes, str] | None:
    from denizen import elf

    try:
        image = elf.read(view.read(path))
        interpreter = image.interpreter
    except (BadInput, OSError):
        return None
    machine = by_elf(image.header.machine, image.header.bits)
    return None if machine is None or not interpreter else (interpreter, machine.loader)


def _is_lacking(view: FileView, path: bytes) -> bool:
    if posixpath.normpath(path) != path or not path.startswith(_TREES):
        return False
    return _NAME.fullmatch(posixpath.basename(path)) is not None and is_absent(view, path)
