"""Links to commands that a program executes and this host lacks, made when one is first executed.

    COMMANDS/m4 -> <store>/<hash>-environment/usr/bin/m4    the program that a command is
             .absent/foo                                    a command that is not to be had; holds the reason

A loader lies at the path of such a command (launch/resources/command_paths.py). It follows the link of its
own name to the decision about the program; where there is none it asks (app/missing_command.py) and looks
once more.
"""

from __future__ import annotations

import contextlib
import os

from denizen.disk import PRIVATE, link_atomically, make_directories, write_atomically
from denizen.pattern import pattern
from denizen.value import value

# The name of the directory, beside those of libraries and copies.
COMMANDS = b"commands"
_ABSENT = b".absent"
# The pattern excludes paths: the name comes from a program.
_NAME = pattern(rb"[A-Za-z0-9_+\[][A-Za-z0-9._+-]{0,99}\Z")


def is_command(name: bytes) -> bool:
    """Tell whether a loader may ask for a name."""
    return _NAME.match(name) is not None


@value
class CommandLinks:
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

    def deny(self, name: bytes, reason: str) -> None:
        """Record that a command is not available, with the reason. Raises OSError."""
        make_directories(os.path.join(self.directory, _ABSENT), 0o700)
        write_atomically(os.path.join(self.directory, _ABSENT, name), reason.encode() + b"\n", mode=PRIVATE)

    def denied(self, name: bytes) -> str:
        """Return the recorded reason why a command is not available; "" for none."""
        try:
            with open(os.path.join(self.directory, _ABSENT, name), "rb") as stream:
                return stream.read(4096).decode("utf-8", "replace").strip()
        except FileNotFoundError:
            return ""

    def forget_denied(self) -> None:
        """Delete the records of unavailable commands: the index has changed."""
        absent = os.path.join(self.directory, _ABSENT)
        with contextlib.suppress(FileNotFoundError):
            for name in os.listdir(absent):
                os.unlink(os.path.join(absent, name))


def commands_of(decision_directory: bytes) -> CommandLinks:
    """Return the links beside the decisions in `decision_directory`."""
    return CommandLinks(os.path.join(decision_directory, COMMANDS))
