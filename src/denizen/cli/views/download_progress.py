"""The display of transfers: bars with rates on a terminal, a line for each step elsewhere."""

from __future__ import annotations

import threading
import time

from denizen.app.formatting import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from denizen.cli.output import Output
    from denizen.sources.base import Progress


def open_progress(output: Output) -> Progress:
    """Return the display that suits stderr and the verbosity."""
    if output.verbosity < 0:
        from denizen.sources.base import SilentTransfer

        return SilentTransfer()
    return Bars(output) if output.stderr.isatty() else Steps(output)


class Steps:
    """A display with a line when a transfer begins and when it ends."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._started: dict[str, tuple[float, int | None]] = {}
        self._lock = threading.Lock()

    def started(self, name: str, size: int | None) -> None:
        with self._lock:
            self._started[name] = (time.monotonic(), size)
        self._output.say(f"fetching {name}" + (f" ({human_size(size)})" if size is not None else ""))

    def received(self, name: str, count: int) -> None:
        """Do nothing: a line for each piece would be too much."""

    def finished(self, name: str) -> None:
        with self._lock:
            began, size = self._started.pop(name, (time.monotonic(), None))
        passed = max(time.monotonic() - began, 0.001)
        rate = f" at {human_size(int(size / passed))}/s" if size is not None else ""
        self._output.say(f"fetched {name} in {passed:.1f} s{rate}")

    def failed(self, name: str) -> None:
        with self._lock:
            self._started.pop(name, None)

    def note(self, text: str) -> None:
        self._output.say(text)


class Bars:
    """A display with a bar for each transfer, drawn by rich and removed when it is done."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._drawing: RichProgress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._lock = threading.Lock()

    def started(self, name: str, size: int | None) -> None:
        with self._lock:
            self._tasks[name] = self._open().add_task(name, total=size)

    def received(self, name: str, count: int) -> None:
        with self._lock:
            self._open().advance(self._tasks[name], count)

    def finished(self, name: str) -> None:
        self._end(name)

    def failed(self, name: str) -> None:
        self._end(name)

    def _end(self, name: str) -> None:
        with self._lock:
            self._open().remove_task(self._tasks.pop(name))
            if not self._tasks and self._drawing is not None:
                self._drawing.stop()
                self._drawing = None

    def note(self, text: str) -> None:
        if self._drawing is not None:
            self._drawing.console.print(text, markup=False, highlight=False)
        else:
            self._output.say(text)

    def _open(self) -> RichProgress:
        if self._drawing is None:
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

            console = Console(file=self._output.stderr, no_color=self._output.color is False)
            self._drawing = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                DownloadColumn(),
                TransferSpeedColumn(),
                console=console,
                transient=True,
            )
            self._drawing.start()
        return self._drawing
