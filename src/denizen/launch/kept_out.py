"""The sentences about what policy keeps out of running programs, and their records, a line for each name.

    .kept-out/NAME       the line that is told if the program fails
              .settings  -> the directory of the user's settings, where the budget kept something out

What the budget keeps out may come as soon as the user raises it: a record that is older than the settings is
none (loader/budget.c). What would bring the thing is said in app/run_time (missing_library.py,
missing_path.py, missing_place.py, looked_for_command.py). loader/failure_note.c tells the line, with what
only the process knows.
"""

from __future__ import annotations

import contextlib
import os

from denizen.disk import PRIVATE, link_atomically, make_directories, write_atomically
from denizen.errors import display, shell_word
from denizen.value import Value

KEPT_OUT = b".kept-out"
# Reasons that several answers give: --offline, --lock, no place where it could appear, no package.
NOT_FETCHED = "--offline forbids to fetch it"
NOT_LOCKED = "the lock does not have it"
NOT_SHOWN = "no file can be shown to this program"
NOT_PACKAGED = "no package has it"
OTHER_NAME = "its package has it under another name"
# Bytes in a line for which the loader writes the program's path, and the name that was missed.
_PROGRAM, _NAME = "\x01", "\x02"
LOCKED = (
    f"denizen: {_NAME} is not here, and with --lock no command is brought; "
    f"without it denizen run {_PROGRAM} may bring it"
)
# The file of the user's settings that says how much may be brought in one run.
BUDGET = b"budget"
_SETTINGS = b".settings"


def library_not_brought(name: bytes, reason: str, command: str, program: bytes) -> str:
    """Return the line about a library; `command` are denizen's words that bring it to the program."""
    return _not_brought(name, reason, f"{command} {shell_word(program)}")


def command_not_brought(name: bytes, reason: str, package: str) -> str:
    """Return the line about a command; `package` is the one that has it, "" for none."""
    return _not_brought(name, reason, f"run --with {shell_word(package)} {_PROGRAM}" if package else "")


def command_not_fetched(name: bytes) -> str:
    """Return the line about a command that --offline forbids to fetch."""
    return _not_brought(name, NOT_FETCHED, f"run {_PROGRAM}")


def _not_brought(name: bytes, reason: str, command: str) -> str:
    remedy = f"; denizen {command} brings it" if command else ""
    return f"denizen: {display(name)} was not brought: {reason}{remedy}"


class KeptOut(Value):
    """The records below one directory of links."""

    directory: bytes

    def add(self, name: bytes, line: str, settings: bytes = b"") -> None:
        """Record the line for a name.

        `settings` is the directory of the user's settings, on which it depends; b"" if it does on none.
        Raises OSError.
        """
        make_directories(self._top, 0o700)
        link = self._place(_SETTINGS)
        if settings and not (os.path.islink(link) and os.readlink(link) == settings):
            link_atomically(link, settings)
        write_atomically(self._place(name), line.encode() + b"\n", mode=PRIVATE)

    def drop(self, name: bytes) -> None:
        """Delete the record of a name that was kept out before."""
        with contextlib.suppress(OSError):
            os.unlink(self._place(name))

    def is_outdated(self, name: bytes) -> bool:
        """Tell whether the user's settings changed since a name was recorded, or in the same tick."""
        since = _changed(self._place(name))
        link = self._place(_SETTINGS)
        return bool(since) and max(_changed(link), _changed(os.path.join(link, BUDGET))) >= since

    @property
    def _top(self) -> bytes:
        return os.path.join(self.directory, KEPT_OUT)

    def _place(self, name: bytes) -> bytes:
        return os.path.join(self._top, name)


def _changed(path: bytes) -> int:
    """Return when a file was changed, in nanoseconds; 0 where there is none."""
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0
