"""Links to commands that a program executes and this host lacks, made when one is first executed.

    COMMANDS/m4 -> <store>/<hash>-environment/usr/bin/m4    the program that a command is
             .absent/foo                                    a command that is not to be had; holds the reason,
                                                            and the package of one that policy keeps out
             .kept-out/foo                                  the line that is told if a program fails after it
                                                            missed the command
             .seen/foo                                      a program that looks for it along PATH sees it
             .seen-by-scripts/foo                           a script that looks for it along PATH does
             .unseen/foo                                    none does, though it may be had; holds the reason
             .unseen-by-programs/foo                        a program does not; of scripts nothing is known
             .named/foo                                     static programs see it: an argument named it
             .unnamed/foo                                   a word of their arguments that is no such command
             .unfilled/foo=usr=lib=jvm                      a program foo finds nothing at this place; holds
                                                            the reason
             .locked                                        there by a lock: nothing comes
             .told/=usr=bin=foo                             the processes that were told that foo is at this
                                                            path (loader/inside/told_path.c)

A loader lies at the path of such a command (launch/resources/command_paths.py). It follows the link of its
own name to the decision about the program; where there is none it asks (app/run_time/missing_command.py) and
looks once more.
"""

from __future__ import annotations

import contextlib
import os

from denizen.disk import PRIVATE, link_atomically, make_directories, write_atomically
from denizen.launch.kept_out import KEPT_OUT, LOCKED, KeptOut
from denizen.lazy_pattern import pattern
from denizen.value import Value

# The name of the directory, beside those of libraries and copies.
COMMANDS = b"commands"
_ABSENT, _SEEN, _UNSEEN = b".absent", b".seen", b".unseen"
_SEEN_BY_SCRIPTS, _UNSEEN_BY_PROGRAMS = b".seen-by-scripts", b".unseen-by-programs"
_NAMED, _UNNAMED = b".named", b".unnamed"
_UNFILLED = b".unfilled"
_LOCKED = b".locked"
# Words that are recorded as no commands, an empty file each.
_MAX_UNNAMED = 500
# The records that an update of an index outdates.
_DENIALS = (_ABSENT, KEPT_OUT, _SEEN, _SEEN_BY_SCRIPTS, _UNSEEN, _UNSEEN_BY_PROGRAMS, _UNNAMED, _UNFILLED)
# The pattern excludes paths: the name comes from a program.
_NAME = pattern(rb"[A-Za-z0-9_+\[][A-Za-z0-9._+-]{0,99}\Z")


def is_command(name: bytes) -> bool:
    """Tell whether a loader may ask for a name."""
    return _NAME.match(name) is not None


class Denial(Value):
    """The record that a command is not available.

    Attributes:
        reason: why not.
        package: the package that has it, where policy keeps it out; "" where none is known.
    """

    reason: str
    package: str = ""


class CommandLinks(Value):
    """The directory of links beside the decisions of one directory."""

    directory: bytes

    def show(self, name: bytes, program: bytes) -> None:
        """Make the link from a command to its program. Raises OSError."""
        make_directories(self.directory, 0o700)
        link_atomically(os.path.join(self.directory, name), program)

    def shown(self, name: bytes) -> bytes:
        """Return the program of a command that was brought and is here; b"" for none."""
        try:
            program = os.readlink(os.path.join(self.directory, name))
        except OSError:
            return b""
        return program if os.path.exists(program) else b""

    def deny(self, name: bytes, reason: str, package: str = "") -> None:
        """Record that a command is not available, with the reason.

        `package` is the one that has a command which policy keeps out. Raises OSError.
        """
        text = f"{reason}\n{package}".rstrip("\n") + "\n"
        self._write(_ABSENT, name, text)

    def denied(self, name: bytes) -> Denial | None:
        """Return the recorded reason why a command is not available; None for no record that holds."""
        if self._kept_out.is_outdated(name):
            return None
        try:
            with open(os.path.join(self.directory, _ABSENT, name), "rb") as stream:
                reason, _, package = stream.read(4096).decode("utf-8", "replace").partition("\n")
        except FileNotFoundError:
            return None
        return Denial(reason, package.strip())

    def keep_out(self, name: bytes, line: str, settings: bytes = b"") -> None:
        """Record the line that the library inside a program (loader/failure_note.c) prints if that fails.

        The program's path and the end are added to a line without an end. `settings`: see KeptOut.add.
        Raises OSError.
        """
        self._kept_out.add(name, line, settings)

    def see(self, name: bytes, *, scripts_alone: bool = False) -> None:
        """Record that programs, or scripts alone, see a command that they look for along PATH.

        Raises OSError.
        """
        self._write(_SEEN_BY_SCRIPTS if scripts_alone else _SEEN, name, "")

    def lock(self) -> None:
        """Record that nothing comes. Raises OSError."""
        self._write(b"", _LOCKED, LOCKED + "\n")

    def leave_unseen(self, name: bytes, reason: str, *, scripts_too: bool = True) -> None:
        """Record that programs which look for a command do not see it, with the reason. Raises OSError."""
        self._write(_UNSEEN if scripts_too else _UNSEEN_BY_PROGRAMS, name, reason + "\n")

    def name(self, name: bytes) -> None:
        """Record that static programs see a command because an argument named it. Raises OSError."""
        self._write(_NAMED, name, "")

    def named(self) -> tuple[bytes, ...]:
        """Return the commands that arguments of static programs named."""
        with contextlib.suppress(OSError):
            return tuple(sorted(os.listdir(os.path.join(self.directory, _NAMED))))
        return ()

    def leave_unnamed(self, name: bytes) -> None:
        """Record that a word of a static program's arguments names no command to be seen. Raises OSError.

        Only the first are recorded: a program that searches is given other words at each start.
        """
        directory = os.path.join(self.directory, _UNNAMED)
        make_directories(directory, 0o700)
        if len(os.listdir(directory)) < _MAX_UNNAMED:
            # A start waits for this, and without the file the index is asked again: nothing is synced.
            flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            os.close(os.open(os.path.join(directory, name), flags, PRIVATE))

    def is_unnamed(self, name: bytes) -> bool:
        """Tell whether a word of a static program's arguments is known to name no command to be seen."""
        return os.path.exists(os.path.join(self.directory, _UNNAMED, name))

    def leave_unfilled(self, program: bytes, place: bytes, reason: str) -> None:
        """Record that nothing comes for a program of this name that looks at a place, with the reason.

        Raises OSError.
        """
        self._write(_UNFILLED, program + place.replace(b"/", b"="), reason + "\n")

    def let_in(self, name: bytes) -> None:
        """Delete what was recorded about a command that was not available before."""
        self._kept_out.drop(name)
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(self.directory, _ABSENT, name))

    @property
    def _kept_out(self) -> KeptOut:
        return KeptOut(self.directory)

    def _write(self, below: bytes, name: bytes, text: str) -> None:
        make_directories(os.path.join(self.directory, below), 0o700)
        write_atomically(os.path.join(self.directory, below, name), text.encode(), mode=PRIVATE)

    def forget_denied(self) -> None:
        """Delete the records of commands that are not there yet: the index has changed."""
        for below in _DENIALS:
            directory = os.path.join(self.directory, below)
            with contextlib.suppress(FileNotFoundError):
                for name in os.listdir(directory):
                    os.unlink(os.path.join(directory, name))


def named_decision(name: bytes) -> bytes:
    """Return the name of the decision about a command, by which the loader (command_start.c) finds it too."""
    return b"command-" + name


def commands_of(decision_directory: bytes) -> CommandLinks:
    """Return the links beside the decisions in `decision_directory`."""
    return CommandLinks(os.path.join(decision_directory, COMMANDS))
