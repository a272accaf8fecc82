"""Programs at a terminal: a pseudo-terminal whose other side a test reads and types at."""

import os
import pty
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class TerminalEnd:
    """What a program at a terminal showed, and its exit status."""

    shown: str
    status: int


def at_terminal(
    command: list[str], prompt: str, lines: Sequence[str], environment: Mapping[str, str] | None = None
) -> TerminalEnd:
    """Start a program at a terminal of its own, and type a line each time that it shows its prompt anew."""
    child, master = pty.fork()
    if not child:
        try:
            os.execvpe(command[0], command, dict(os.environ if environment is None else environment))
        finally:
            os._exit(127)
    shown, waiting = b"", list(lines)
    answered = 0
    try:
        while piece := _read(master):
            shown += piece
            while waiting and (place := shown.find(prompt.encode(), answered)) >= 0:
                answered = place + len(prompt)
                os.write(master, waiting.pop(0).encode() + b"\n")
    finally:
        os.close(master)  # what still runs there gets SIGHUP
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return TerminalEnd(shown.decode(errors="replace").replace("\r\n", "\n"), status)


def _read(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError:
        return b""  # EIO: nobody has the other side open any more
