"""The words for a path that leads to no program: what is there instead, and which name resembles it."""

from __future__ import annotations

import os
import stat

from denizen.diagnose.kind_checks import why_no_program
from denizen.errors import display
from denizen.fileview import FileKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.launch.program import Program

# More names than anybody mistypes among; reading them takes 10 ms.
_MAX_NAMES = 10_000


def why_unusable(program: Program) -> str:
    """Return what stands in a program's place, "" for a program, a library or a script."""
    if program.stat.kind is FileKind.DIRECTORY:
        return "it is a directory: name the program in it"
    if program.stat.kind is not FileKind.FILE:
        return "it is a device, a pipe or a socket, not a file"
    return why_no_program(program.classification)


def why_missing(path: bytes, problem: OSError) -> str:
    """Return why `path` could not be opened: the system's message, or where the link in its place leads."""
    if isinstance(problem, FileNotFoundError):
        try:
            return f"it is a link to {display(os.readlink(path))}, which is not here"
        except OSError:
            pass
    return problem.strerror or str(problem)


def near_program(path: bytes) -> bytes:
    """Return the executable file beside `path` whose name resembles it most; b"" for none."""
    from difflib import get_close_matches

    directory, name = os.path.split(path)
    try:
        with os.scandir(directory or b".") as entries:
            names = [entry.name for _, entry in zip(range(_MAX_NAMES), entries, strict=False)]
    except OSError:
        return b""
    for near in get_close_matches(os.fsdecode(name), map(os.fsdecode, names), n=3, cutoff=0.75):
        found = os.path.join(directory, os.fsencode(near))
        if _is_executable_file(found):
            return found
    return b""


def _is_executable_file(path: bytes) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode) and os.access(path, os.X_OK)
    except OSError:
        return False
