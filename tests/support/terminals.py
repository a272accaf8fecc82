"""Programs at a terminal: a pseudo-terminal whose other side a test reads and types at."""

import fcntl
import os
import pty
import select
import struct
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.support.processes import PATIENCE

# Where TERM is not set or "dumb", readline shows the end alone of a line that is longer than the terminal:
# the prompt would not be seen.
_ROWS, _COLUMNS = 50, 1000


@dataclass(frozen=True)
class TerminalEnd:
    """What a program at a terminal showed, and its exit status."""

    shown: str
    status: int


def at_terminal(
    command: list[str], prompt: str, lines: Sequence[str], environment: Mapping[str, str] | None = None
) -> TerminalEnd:
    """Start a program at a terminal of its own, and type a line each time that it shows its prompt anew.

    A shell there keeps no history: it would go to the home of whoever runs the tests.
    """
    variables = {"HISTFILE": "", **(os.environ if environment is None else environment)}
    child, master = pty.fork()
    if not child:
        try:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("4H", _ROWS, _COLUMNS, 0, 0))
            os.execvpe(command[0], command, variables)
        finally:
            os._exit(127)
    shown, waiting = b"", list(lines)
    answered = 0
    try:
        while piece := _read(master, shown):
            shown += piece
            while waiting and (place := shown.find(prompt.encode(), answered)) >= 0:
                answered = place + len(prompt)
                os.write(master, waiting.pop(0).encode() + b"\n")
    finally:
        os.close(master)  # what still runs there gets SIGHUP
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return TerminalEnd(shown.decode(errors="replace").replace("\r\n", "\n"), status)


def _read(master: int, shown: bytes) -> bytes:
    assert select.select([master], [], [], PATIENCE)[0], f"nothing comes after {shown[-2000:]!r}"
    try:
        return os.read(master, 65536)
    except OSError:
        return b""  # EIO: nobody has the other side open any more
