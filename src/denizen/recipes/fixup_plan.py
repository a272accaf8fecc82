"""The changes that the fixup phase makes to files: interpreters, run paths, first lines of scripts (pure)."""

from __future__ import annotations

import posixpath
import re

from denizen.elf.library_strings import library_strings
from denizen.errors import BadInput
from denizen.relocate.patch_changes import Changes
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import TypeAlias

    from denizen.elf import Image

    # Finds a library by the name that it is needed by.
    Library: TypeAlias = Callable[[bytes], "ObjectFile | None"]

# More libraries than any program has: the closure of a hostile set of files ends.
_MOST = 10_000
_MAX_REPORT = 16 << 20
# elf/dl-load.c, _dl_map_object; the numbers are of namespaces.
_OPENED = re.compile(rb"^file=(.+) \[\d+\];  dynamically loaded by (.+) \[\d+\]$", re.MULTILINE)


class LibraryNotInInputs(BadInput):
    """The error that what was built needs a library that no input has."""

    path: bytes
    name: bytes
    WHAT = "{path} needs {name}"
    WHY = "neither the recipe's inputs nor its own output have that library"
    REMEDY = "add the package that has it to the recipe's [inputs]"


class ObjectFile(Value):
    """The facts of a program or library that the fixup phase needs.

    Attributes:
        interpreter: the path of its dynamic linker, None for a library.
        needed: sonames of libraries.
        opened: sonames that it opens later: with `of` those that it notes, with `with_opens` all.
    """

    path: bytes
    interpreter: bytes | None
    needed: tuple[bytes, ...]
    opened: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, path: bytes, image: Image) -> ObjectFile | None:
        """Return the facts of an image; None if it is not dynamically linked."""
        dynamic = image.dynamic
        if dynamic is None:
            return None
        opened = tuple([name for note in image.notes.dlopen for name in note.sonames])
        return cls(path, image.interpreter, dynamic.needed, opened)


class ReportedOpens(Value):
    """The libraries that are known to be opened by name from elsewhere than the files themselves.

    Attributes:
        named: those that the recipe names, for every file.
        checked: those opened in the check phase, by the opener's base name (`opened_names`).
        earlier: those opened when the programs ran, by the program's base name (`opened_earlier`).
    """

    named: tuple[bytes, ...]
    checked: Mapping[bytes, tuple[bytes, ...]]
    earlier: Mapping[bytes, tuple[bytes, ...]]


def with_opens(one: ObjectFile, image: Image, reported: ReportedOpens) -> ObjectFile:
    """Return the facts of an object with all libraries that count as opened by name.

    They are those that it notes, those reported of it, and the libraries named among its constants: a name
    of its own there is no other library.
    """
    base = posixpath.basename(one.path)
    known = (*reported.named, *reported.checked.get(base, ()), *reported.earlier.get(base, ()))
    own = image.dynamic.soname if image.dynamic else None
    mentioned = [name for name in library_strings(image) if name != own]
    return replace(one, opened=(*one.opened, *known, *mentioned))


def opened_names(report: bytes) -> dict[bytes, tuple[bytes, ...]]:
    """Return the libraries opened by name, by the base name of the program or library that opened them.

    `report` has lines of glibc's LD_DEBUG=files. What was opened by a path needs no run path. libtool runs
    programs that are not installed yet as `lt-NAME`.
    """
    found: dict[bytes, dict[bytes, None]] = {}
    for name, opener in _OPENED.findall(report[:_MAX_REPORT]):
        if b"/" not in name:
            base = posixpath.basename(opener).removeprefix(b"lt-")
            found.setdefault(base, {})[name] = None
    return {opener: tuple(names) for opener, names in found.items()}


def opened_earlier(words: bytes) -> dict[bytes, tuple[bytes, ...]]:
    """Return the libraries that programs opened when they ran, by the programs' base names.

    `words` are PROGRAM/LIBRARY, as `recipe_derivation` writes them.
    """
    found: dict[bytes, list[bytes]] = {}
    for word in words.split():
        program, _, name = word.partition(b"/")
        found.setdefault(program, []).append(name)
    return {program: tuple(names) for program, names in found.items()}


def changes_for(one: ObjectFile, library: Library) -> Changes:
    """Return the changes that let an object find its libraries and its dynamic linker in the store.

    The run path is DT_RPATH: libraries of Debian's packages have none of their own, and are found by that of
    the object that needs them.

    Raises:
        LibraryNotInInputs: a library is not there.
    """
    found = run_path(one, library, complete=True)
    return Changes(interpreter_of(one, library), b":".join(found), force_rpath=True)


def run_path(one: ObjectFile, library: Library, *, complete: bool) -> tuple[bytes, ...]:
    """Return the directories of the libraries that an object needs, those of libraries included.

    Libraries that it opens later, and notes, count if they are there.

    Raises:
        LibraryNotInInputs: the run path has to be `complete`, and a needed library is not there.
    """
    directories: dict[bytes, None] = {}
    seen: set[bytes] = set()
    waiting = [(one.path, name, complete) for name in one.needed]
    waiting += [(one.path, name, False) for name in one.opened]
    while waiting and len(seen) < _MOST:
        asker, name, must = waiting.pop(0)
        if name in seen or b"/" in name:
            continue
        seen.add(name)
        found = library(name)
        if found is not None:
            directories[posixpath.dirname(found.path)] = None
            waiting += [(found.path, other, must) for other in found.needed]
        elif must:
            raise LibraryNotInInputs(asker, name)
    return tuple(directories)


def interpreter_of(one: ObjectFile, library: Library) -> bytes | None:
    """Return the dynamic linker in the store for a program, None for a library. Raises LibraryNotInInputs."""
    if one.interpreter is None:
        return None
    name = posixpath.basename(one.interpreter)
    found = library(name)
    if found is None:
        raise LibraryNotInInputs(one.path, name)
    return found.path


def script_line(line: bytes, directories: Sequence[bytes], exists: Callable[[bytes], bool]) -> bytes:
    """Return the first line of a script, with its interpreter in full if it is in one of the directories."""
    words = line.removeprefix(b"#!").split(None, 1)
    if not words:
        return line
    command, rest = words[0], words[1:]
    if posixpath.basename(command) == b"env" and rest:
        command, *rest = rest[0].split(None, 1)
        if command.startswith(b"-") or b"=" in command:
            return line
    found = _first(exists, (one + b"/" + posixpath.basename(command) for one in directories))
    if found is None or command.startswith(tuple(directories)):
        return line
    return b"#!" + b" ".join([found, *rest])


def _first(exists: Callable[[bytes], bool], paths: Iterable[bytes]) -> bytes | None:
    return next((path for path in paths if exists(path)), None)
