"""The progress of work that takes over a second: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import threading
import time

from denizen.app.formatting import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from rich.progress import Progress

    from denizen.cli.output import Output
    from denizen.formats.stream import Readable

# Seconds before anything is shown; lines follow after this time, twice this time, and so on.
_PATIENCE = 1.0
_FRAME = 0.1


class Meter:
    """A counter of work that is in progress.

    Args:
        task: the name of the work, as "verifying".
        unit: the things counted, as "objects"; "bytes" are shown in KiB and MiB.
        total: the final count, None if it is not known.
    """

    def __init__(self, output: Output, task: str, unit: str, total: int | None = None) -> None:
        self._output = output
        self._task = task
        self._unit = unit
        self._total = total
        self._count = 0
        self._drawing: Progress | None = None
        self._wait = _PATIENCE
        self._showing = threading.Lock()
        self._began = time.monotonic()
        self._due = self._began + _PATIENCE if output.verbosity >= 0 else float("inf")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._drawing is not None:
            self._drawing.stop()

    def advance(self, count: int) -> None:
        """Add `count`; if several threads call this at once, one updates the display."""
        self._count += count
        now = time.monotonic()
        if now >= self._due and self._showing.acquire(blocking=False):
            try:
                self._show(now)
            finally:
                self._showing.release()

    def _show(self, now: float) -> None:
        if self._output.stderr.isatty():
            self._due = now + _FRAME
            self._draw()
        else:
            self._due = now + self._wait
            self._wait *= 2
            self._output.say(f"{self._task}: {self._words()}")

    def _words(self) -> str:
        rate = self._count / (time.monotonic() - self._began)
        if self._unit == "bytes":
            done, total, speed = [human_size(int(size)) for size in (self._count, self._total or 0, rate)]
        else:
            done, speed = f"{self._count:,}", f"{rate:,.0f}"
            total = f"{self._total:,} {self._unit}" if self._total else ""
        if self._total:
            done = f"{done} of {total}"
        elif self._unit != "bytes":
            done = f"{done} {self._unit}"
        return f"{done}, {speed}/s"

    def _draw(self) -> None:
        if self._drawing is None:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn

            console = Console(file=self._output.stderr, no_color=self._output.color is False)
            self._drawing = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TextColumn("{task.fields[words]}", markup=False),
                console=console,
                transient=True,
                auto_refresh=False,
            )
            self._drawing.start()
            self._drawing.add_task(self._task, total=self._total, words="")
        self._drawing.update(self._drawing.task_ids[0], completed=self._count, words=self._words())
        self._drawing.refresh()


class MeteredStream:
    """A stream that counts, by a meter, the bytes read from it."""

    def __init__(self, stream: Readable, meter: Meter) -> None:
        self._stream = stream
        self._meter = meter

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes."""
        piece = self._stream.read(size)
        self._meter.advance(len(piece))
        return piece
