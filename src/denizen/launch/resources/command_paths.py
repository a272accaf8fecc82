"""Paths of commands that a program executes and this host lacks (pure over a FileView).

A program has such paths in its constants (bison: /usr/bin/m4), or its C library does (/bin/sh, for popen and
system); a script's interpreter is often /usr/bin/env. A string counts if all of it, between two NULs, is a
name in a directory in which packages have commands. Of a program that searches PATH (execvp) a string that is
a bare name counts too, if the index of paths is here and has a command of that name.

Nothing is added to a directory of the host with many entries: that would cost a mirror of it at each start,
and its administrator can install what is missing.
"""

from __future__ import annotations

import posixpath
import re

from denizen.errors import BadInput
from denizen.launch.command_links import is_command
from denizen.launch.resident import EXECUTORS
from denizen.resolve.cache.cached_view import parser_of
from denizen.resolve.dlopen_names import MAX_SCANNED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from denizen.elf import Image
    from denizen.fileview import FileView

# POSIX's shell at the path that popen(3) and system(3) of glibc and musl are compiled with; scripts' env.
COMMON = (b"/bin/sh", b"/usr/bin/env")
MAX_COMMANDS = 100
# The path of a command that nobody has, for a look at the directory.
_NO_COMMAND = b"/usr/bin/denizen-none"
# Strings of a program that are looked up as bare names, 50 us each.
_MAX_NAMES = 4_000
# Entries of a directory that is mirrored for a command; each costs 10 us at every start.
_MAX_BESIDE = 64
_PATH = re.compile(rb"(?<=\0)/(?:usr/)?s?bin/[A-Za-z0-9_+\[][A-Za-z0-9._+-]{0,99}(?=\0)")
_BARE = re.compile(rb"(?<=\0)[a-z][a-z0-9._+-]{1,39}(?=\0)")
# unistd.h, spawn.h: those that search PATH.
_SEARCHERS = frozenset({b"execvp", b"execvpe", b"execlp", b"posix_spawnp"})


def command_paths(
    view: FileView, objects: Sequence[bytes], has: Callable[[bytes], bool | None]
) -> tuple[bytes, ...]:
    """Return the paths at which commands for these objects are to appear.

    Args:
        view: the host's file tree.
        objects: paths of the program and the libraries that came with it; none for a script.
        has: tells whether a package has a command; None where no index can tell.
    """
    images = list(_images(view, objects))
    strings = dict.fromkeys(path for image in images for path in _named(image))
    if objects and not any(_imports(image, EXECUTORS) for image in images):
        # A static program imports no functions: only its strings tell.
        if not strings or images[0].interpreter is not None:
            return ()
        named = strings
    else:
        named = dict.fromkeys(COMMON) | strings
    found = [
        path
        for path in named
        if is_command(posixpath.basename(path))
        and is_missing(view, path)
        and (path in COMMON or has(posixpath.basename(path)) is not False)
    ]
    bare = (path for path in _searched(images, has) if path not in named and is_missing(view, path))
    return (*found, *bare)[:MAX_COMMANDS]


def _searched(images: Sequence[Image], has: Callable[[bytes], bool | None]) -> Iterator[bytes]:
    """Yield paths for the bare names of commands in objects that search PATH."""
    names: dict[bytes, None] = {}
    for image in images:
        if not _imports(image, _SEARCHERS):
            continue
        for match in _BARE.finditer(memoryview(image.buffer)[:MAX_SCANNED]):
            names[match.group()] = None
            if len(names) == _MAX_NAMES:
                break
    yield from (b"/usr/bin/" + name for name in names if is_command(name) and has(name))


def _images(view: FileView, objects: Sequence[bytes]) -> Iterator[Image]:
    parse = parser_of(view)
    for path in objects:
        try:
            yield parse(view.read(path))
        except (OSError, BadInput):
            continue


def _imports(image: Image, functions: frozenset[bytes]) -> bool:
    try:
        return not functions.isdisjoint(image.symbols.undefined_names)
    except BadInput:
        return False


def _named(image: Image) -> Iterator[bytes]:
    """Yield the strings of a file that are paths of commands."""
    for match in _PATH.finditer(memoryview(image.buffer)[:MAX_SCANNED]):
        yield match.group()


def brings_commands(view: FileView) -> bool:
    """Tell whether commands are brought on this host: its /usr/bin does not exist or has few entries."""
    return is_missing(view, _NO_COMMAND)


def is_missing(view: FileView, path: bytes) -> bool:
    """Tell whether the path does not exist, and its directory can be made or has few entries."""
    try:
        view.lstat(path)
    except FileNotFoundError:
        pass
    except OSError:
        return False
    else:
        return False
    try:
        return len(view.listdir(posixpath.dirname(path))) <= _MAX_BESIDE
    except FileNotFoundError:
        return True
    except OSError:
        return False
