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

from denizen.elf.counted_strings import counted_strings
from denizen.elf.library_strings import MAX_SCANNED
from denizen.errors import BadInput
from denizen.fileview import is_absent
from denizen.launch.command_links import is_command
from denizen.launch.resident_choice import EXECUTORS
from denizen.resolve.cache.cached_view import parser_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from denizen.elf import Image
    from denizen.fileview import FileView

# POSIX's shell at the path that popen(3) and system(3) of glibc and musl are compiled with; scripts' env.
COMMON = (b"/bin/sh", b"/usr/bin/env")
MAX_COMMANDS = 100
# The directories in which packages have commands.
_COMMON_DIRECTORY = b"/usr/bin"
_DIRECTORIES = (b"/bin", b"/sbin", _COMMON_DIRECTORY, b"/usr/sbin")
# Strings of a program that are looked up as bare names, 50 us each.
_MAX_NAMES = 4_000
# Entries of a directory that is mirrored for a command; each costs 10 us at every start.
_MAX_BESIDE = 64
_PATH = re.compile(rb"(?<=\0)/(?:usr/)?s?bin/[A-Za-z0-9_+\[][A-Za-z0-9._+-]{0,99}(?=\0)")
_BARE = re.compile(rb"(?<=\0)[a-z][a-z0-9._+-]{1,39}(?=\0)")
# unistd.h, spawn.h: those that search PATH.
_SEARCHERS = frozenset({b"execvp", b"execvpe", b"execlp", b"posix_spawnp", b"pidfd_spawnp"})


def command_paths(
    view: FileView, objects: Sequence[bytes], has: Callable[[bytes], bool | None]
) -> tuple[bytes, ...]:
    """Return the paths at which commands for these objects are to appear.

    Args:
        view: the host's file tree.
        objects: paths of the program and the libraries that came with it; none for a script.
        has: tells whether a package has a command; None where no index can tell.
    """
    places = _places(view)
    if not places:
        return ()  # on most hosts: a program of 6 MB takes 60 ms to search for strings
    images = list(_images(view, objects))
    named = _named(images) if objects else dict.fromkeys(COMMON)
    found = [
        path
        for path in named
        if posixpath.dirname(path) in places
        and is_command(posixpath.basename(path))
        and is_absent(view, path)
        and (path in COMMON or has(posixpath.basename(path)) is not False)
    ]
    bare = [
        path
        for path in (_searched(images) if _COMMON_DIRECTORY in places else ())
        if path not in named and is_absent(view, path) and has(posixpath.basename(path))
    ]
    return (*found, *bare)[:MAX_COMMANDS]


def executes_commands(view: FileView, objects: Sequence[bytes]) -> bool:
    """Tell whether these objects, a program and the libraries that came with it, execute what they name.

    It is false where directories of commands take no more.
    """
    return bool(_places(view)) and bool(_named(list(_images(view, objects))))


def _places(view: FileView) -> frozenset[bytes]:
    """Return the directories of commands that take more; what links to one (/bin) is looked at with it."""
    takes_more: dict[bytes, bool] = {}
    found = set()
    for place in _DIRECTORIES:
        try:
            real = view.realpath(place)
        except OSError:
            real = place
        if real not in takes_more:
            takes_more[real] = _takes_more(view, real)
        if takes_more[real]:
            found.add(place)
    return frozenset(found)


def _named(images: Sequence[Image]) -> dict[bytes, None]:
    """Return the paths of commands that the objects of a program name; none if it executes nothing."""
    executes = any(_imports(image, EXECUTORS) for image in images)
    # A static program imports no functions: only its strings tell.
    if not executes and (not images or images[0].interpreter is not None):
        return {}
    strings = dict.fromkeys(path for image in images for path in _strings(image))
    return dict.fromkeys(COMMON) | strings if executes else strings


def _searched(images: Sequence[Image]) -> Iterator[bytes]:
    """Yield paths for the bare names of possible commands in objects that search PATH."""
    names: dict[bytes, None] = {}
    for image in images:
        if not _imports(image, _SEARCHERS):
            continue
        for match in _BARE.finditer(memoryview(image.buffer)[:MAX_SCANNED]):
            names[match.group()] = None
            if len(names) == _MAX_NAMES:
                break
    yield from (_COMMON_DIRECTORY + b"/" + name for name in names if is_command(name))


def searched_paths(
    view: FileView, image: Image, sees: Callable[[bytes], bool], besides: Sequence[bytes]
) -> tuple[bytes, ...]:
    """Return paths for the commands that a static program may look for along PATH, without `besides`.

    It makes its system calls itself, so no look can be answered while it runs. `sees` tells what would be.
    """
    if not brings_commands(view):
        return ()
    bare = (match.group() for match in _BARE.finditer(memoryview(image.buffer)[:MAX_SCANNED]))
    # What has capitals among constants is other than commands, and mostly a package's name by chance.
    strings = {name for name in (*bare, *counted_strings(image)) if is_command(name) and name.islower()}
    names = filter(sees, strings)
    paths = (_COMMON_DIRECTORY + b"/" + name for name in sorted(names))
    return tuple(path for path in paths if path not in besides and is_absent(view, path))[:MAX_COMMANDS]


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


def _strings(image: Image) -> Iterator[bytes]:
    """Yield the strings of a file that are paths of commands."""
    for match in _PATH.finditer(memoryview(image.buffer)[:MAX_SCANNED]):
        yield match.group()


def is_command_path(path: bytes) -> bool:
    """Tell whether packages may have a command at a path."""
    return posixpath.dirname(path) in _DIRECTORIES and is_command(posixpath.basename(path))


def brings_commands(view: FileView) -> bool:
    """Tell whether commands are brought on this host: its /usr/bin does not exist or has few entries."""
    return _takes_more(view, _COMMON_DIRECTORY)


def is_missing(view: FileView, path: bytes) -> bool:
    """Tell whether the path does not exist, and its directory can be made or has few entries."""
    return is_absent(view, path) and _takes_more(view, posixpath.dirname(path))


def _takes_more(view: FileView, directory: bytes) -> bool:
    """Tell whether a directory can be made or has few entries."""
    try:
        return len(view.listdir(directory)) <= _MAX_BESIDE
    except FileNotFoundError:
        return True
    except OSError:
        return False
