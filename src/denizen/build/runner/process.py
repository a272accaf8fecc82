"""The process of a builder: started, listened to, stopped.

`denizen-enter` carries out the plan and becomes the builder; its second process, the guardian, is this
process's child. The guardian ends everything that the builder has started when the builder ends, when it is
told to (SIGTERM), and when this process dies. It tells the builder's end on a pipe. What the builder says
comes through a pseudo-terminal, as in Nix, because some programs buffer or colour by what they write to.
"""

from __future__ import annotations

# `signal` makes enumerations of all constants: 2 ms.
import _signal  # type: ignore[import-not-found]
import contextlib
import os
import select
import time

from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# The guardian's descriptor on which it tells the end.
STATUS = 3
_BLOCK = 64 * 1024
# Seconds between two looks at whether to stop.
_MOMENT = 0.1
# Seconds that a guardian gets to end a builder; the kernel reclaims a large builder's memory meanwhile.
_PATIENCE = 30.0
_REFUSED, _NOT_STARTED = "o", "x"


class BuilderCommand(Value):
    """The command of a builder.

    Attributes:
        words: `denizen-enter` with its plan.
        program: the builder's path.
        arguments: its arguments, with its name.
        environment: its variables.
    """

    words: tuple[bytes, ...]
    program: bytes
    arguments: tuple[bytes, ...]
    environment: Mapping[bytes, bytes]


class Ended(Value):
    """The end of a builder.

    Attributes:
        status: as wait(2) has it; None if the builder could not be started or its guardian was killed.
        started: the builder was started.
        refused: it was not, as this machine does not allow its sandbox.
    """

    status: int | None
    started: bool = True
    refused: bool = False

    @property
    def succeeded(self) -> bool:
        """The builder's exit status is 0."""
        return self.status == 0


class RunningBuilder:
    """A builder that runs."""

    def __init__(self, command: BuilderCommand) -> None:
        """Start it. Raises OSError: the kernel refuses, or the words are too long."""
        with contextlib.ExitStack() as undo:
            self.output, slave = _terminal()
            undo.callback(os.close, self.output)
            self._status, telling = os.pipe()
            os.set_blocking(self._status, False)
            undo.callback(os.close, self._status)
            try:
                self.process = _spawn(command, slave, telling)
            finally:
                os.close(slave)
                os.close(telling)
            undo.pop_all()

    def listen(self, heard: Callable[[bytes], None], checkpoint: Callable[[float], None]) -> None:
        """Pass on what the builder says until it has ended.

        `checkpoint` is called at least every tenth of a second with the seconds since the builder last spoke,
        and raises to stop.
        """
        poll = select.poll()
        poll.register(self.output, select.POLLIN)
        spoken = time.monotonic()
        while True:
            if poll.poll(_MOMENT * 1000):
                piece = _read(self.output)
                if not piece:
                    return
                spoken = time.monotonic()
                heard(piece)
            checkpoint(time.monotonic() - spoken)

    def ended(self) -> Ended:
        """Wait for the end of the guardian, which is that of everything the builder started."""
        os.waitpid(self.process, 0)
        self.process = 0
        told = ""
        with contextlib.suppress(BlockingIOError):
            told = os.read(self._status, 100).decode("ascii", "replace")
        if told.startswith((_NOT_STARTED, _REFUSED)):
            return Ended(None, started=False, refused=told.startswith(_REFUSED))
        return Ended(int(told) if told.strip().isdigit() else None)

    def close(self) -> None:
        """Stop the builder if it runs, and wait until nothing of it is left."""
        if self.process:
            self._stop()
        if self.output >= 0:
            os.close(self.output)
            os.close(self._status)
            self.output = -1

    def _stop(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        os.kill(self.process, _signal.SIGTERM)
        while time.monotonic() < deadline:
            if os.waitpid(self.process, os.WNOHANG)[0]:
                self.process = 0
                return
            # A builder that waits until somebody reads what it says dies all the same; so no reading here.
            time.sleep(_MOMENT / 10)
        os.kill(self.process, _signal.SIGKILL)
        os.waitpid(self.process, 0)
        self.process = 0


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, _BLOCK)
    except OSError:
        # EIO: the last process has closed the other side of the terminal.
        return b""


def _terminal() -> tuple[int, int]:
    """Return both sides of a pseudo-terminal that changes no byte (cfmakeraw(3))."""
    import termios

    master, slave = os.openpty()
    iflag, oflag, cflag, lflag, ispeed, ospeed, cc = termios.tcgetattr(slave)
    iflag &= ~(
        termios.IGNBRK | termios.BRKINT | termios.PARMRK | termios.ISTRIP | termios.INLCR | termios.IGNCR
        | termios.ICRNL | termios.IXON
    )  # fmt: skip
    oflag &= ~termios.OPOST
    lflag &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.ISIG | termios.IEXTEN)
    cflag = cflag & ~(termios.CSIZE | termios.PARENB) | termios.CS8
    termios.tcsetattr(slave, termios.TCSANOW, [iflag, oflag, cflag, lflag, ispeed, ospeed, cc])
    return master, slave


def _spawn(command: BuilderCommand, slave: int, telling: int) -> int:
    words = (*command.words, b"as", command.program, b"--", *command.arguments)
    # In this order: `telling` and `slave` may be any numbers from 3. All else closes at exec (PEP 446).
    actions = [
        (os.POSIX_SPAWN_DUP2, slave, 1),
        (os.POSIX_SPAWN_DUP2, slave, 2),
        (os.POSIX_SPAWN_DUP2, telling, STATUS),
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
    ]
    return os.posix_spawn(
        words[0],
        words,
        command.environment,
        file_actions=actions,
        setsigmask=(),
        # Ignored by Python itself, and what is ignored stays ignored over exec.
        setsigdef=(_signal.SIGPIPE, _signal.SIGXFSZ, _signal.SIGINT),
    )
