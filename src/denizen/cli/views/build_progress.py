"""Progress of builds: a line for each derivation, and what builders say if that is wanted."""

from __future__ import annotations

# `threading` takes 2 ms to import.
from _thread import allocate_lock

from denizen.errors import display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.cli.output import Output

# A line that does not end is printed in parts of this size.
_LONGEST = 4096


class BuildProgress:
    """A listener that prints a line for each derivation that is built, and the lines of builders."""

    def __init__(self, output: Output, *, logs: bool) -> None:
        self._output = output
        self._logs = logs
        self._parts: dict[str, bytes] = {}
        self._lock = allocate_lock()

    def started(self, name: str) -> None:
        """Say that a build begins."""
        self._output.say(f"building {name}")

    def finished(self, name: str) -> None:
        """Say that a build has ended, if that much is wanted."""
        with self._lock:
            rest = self._parts.pop(name, b"")
        if rest:
            self._say(name, rest)
        if self._output.verbosity > 0:
            self._output.say(f"built {name}")

    def heard(self, name: str, piece: bytes) -> None:
        """Print the whole lines that a builder has said."""
        if not self._logs:
            return
        with self._lock:
            *lines, rest = (self._parts.get(name, b"") + piece).split(b"\n")
            if len(rest) > _LONGEST:
                lines, rest = [*lines, rest], b""
            self._parts[name] = rest
        for line in lines:
            self._say(name, line)

    def _say(self, name: str, line: bytes) -> None:
        shown = display(line.rstrip(b"\r"))
        self._output.say(f"{name}> {shown}")
