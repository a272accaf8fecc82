"""A directory for the temporary files of programs that unpack themselves and execute what they unpacked.

PyInstaller's programs, pkg's, Bun's and others write libraries and programs below TMPDIR or /tmp, which
hardened hosts mount noexec (pyinstaller issues 3870, 4548; staticx 218). denizen-enter and denizen-attach
(operation `temporary`, loader/enter/variables.c) look at each start whether that is so for the caller's
directory, and set TMPDIR only then. The loader does so for a child in a namespace, which no command starts
(loader/start.c); before a static child nobody stands.
"""

from __future__ import annotations

import os

from denizen.disk import make_directories
from denizen.errors import HostLacks
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.elf import Image
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.strategies.loader_files import LoaderFiles

# Kinds of payload (elf/payload.py) that are not unpacked into files, or by denizen itself.
_READ_IN_PLACE = frozenset({"appimage", "node-sea", "deno"})


def with_temporary(decision: Decision, image: Image | None, cache: bytes, files: LoaderFiles) -> Decision:
    """Return the decision with a directory in denizen's cache for a program that unpacks itself.

    Return it unchanged for other programs, for one that the loader or an emulator maps, and where the cache
    is mounted noexec too.
    """
    payload = image.payload if image is not None else None
    if payload is None or payload.kind in _READ_IN_PLACE:
        return decision
    directory = os.path.join(cache, b"tmp")
    try:
        make_directories(directory, 0o700)
        if os.statvfs(directory).f_flag & os.ST_NOEXEC:
            return decision
        return replace(decision, command=_command(decision, directory, files))
    except (OSError, HostLacks):
        return decision


def _command(decision: Decision, directory: bytes, files: LoaderFiles) -> tuple[bytes, ...]:
    operation = (b"temporary", directory)
    command = decision.command
    if not command:
        return (files.enter(), *operation, b"--") if decision.host else ()
    if command[0] == files.enter():
        return (*command[:-1], *operation, command[-1])
    if command == files.attached():
        return (command[0], *operation, *command[1:])
    return command
