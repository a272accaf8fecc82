"""Output of a command: results go to stdout, messages and errors to stderr, in colour where it is wanted.

No other module prints.
"""

from __future__ import annotations

import sys

from denizen.errors import DenizenError, display
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from rich.console import Console, RenderableType


class CannotWrite(DenizenError):
    """The error that the result cannot be written, most often because the disk is full.

    Attributes:
        reason: the system's message.
    """

    reason: str
    WHAT = "cannot write the result"
    WHY = "{reason:text}"


class Output(Value):
    """The streams of a command, with colour and verbosity.

    Attributes:
        color: True, False, or None for "as the terminal is".
        verbosity: -1 quiet, 0 usual, 1 and more for `-v`.
    """

    stdout: TextIO
    stderr: TextIO
    color: bool | None = None
    verbosity: int = 0

    def line(self, text: str) -> None:
        """Write a line of result. Raises CannotWrite, as all methods do that write a result."""
        with _Result():
            self.stdout.write((_for_terminal(text) if self.stdout.isatty() else text) + "\n")

    def raw(self, content: bytes | memoryview) -> None:
        """Write bytes of result, for commands whose output is not text."""
        with _Result():
            self.stdout.flush()
            self.stdout.buffer.write(content)

    def document(self, content: object) -> None:
        """Write the result as one JSON document."""
        from denizen.formats.indented_json import json_text

        with _Result():
            self.stdout.write(json_text(content) + "\n")

    def flush(self) -> None:
        """Flush stdout."""
        with _Result():
            self.stdout.flush()

    def say(self, text: str) -> None:
        """Write a message about the work, for people; not with -q."""
        if self.verbosity >= 0:
            self.stderr.write(text + "\n")

    def error(self, error: DenizenError, remedy: str | None = None) -> None:
        """Write an error: what, why, and its own remedy, or the one given."""
        remedy = error.remedy if remedy is None else remedy
        self.stderr.write(f"denizen: {error.what}\n")
        if error.why:
            self.stderr.write(_indented(error.why))
        if remedy:
            self.stderr.write(_indented(f"try: {remedy}"))

    def internal(self, error: Exception) -> None:
        """Write a message about a defect in denizen, as opposed to an error of the user or the host."""
        detail = display(str(error))
        self.stderr.write(
            f"denizen: internal error: {type(error).__name__}: {detail}\n"
            "  this is a defect in denizen; run again with --debug for the traceback\n"
        )

    def render(self, drawing: RenderableType) -> None:
        """Write a rich tree or table to stdout."""
        console = self.console()
        with _Result():
            console.print(drawing)

    def save_html(self, drawing: RenderableType, path: bytes) -> None:
        """Write a drawing as an HTML page to the file `path`. Raises OSError."""
        import io

        from rich.console import Console

        from denizen.output_place import write_output

        console = Console(record=True, width=140, file=io.StringIO(), force_terminal=True)
        console.print(drawing)
        write_output(path, console.export_html().encode())

    def console(self) -> Console:
        """Return the rich console over stdout; imported here because rich.console costs 26 ms."""
        from rich.console import Console

        return Console(
            file=self.stdout,
            force_terminal=True if self.color else None,
            no_color=self.color is False,
            highlight=False,
            # A pipe has no width; lines wrapped at 80 columns would break grep.
            width=None if self.stdout.isatty() else 10_000,
        )


class _Result:
    """A context that turns a failed write into CannotWrite; a closed pipe stays BrokenPipeError."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            raise CannotWrite(error.strerror or str(error)) from error


def open_output(environ: Mapping[str, str], *, color: str, verbosity: int) -> Output:
    """Return an output to the process's own streams.

    `color` is always, never or auto (which heeds NO_COLOR).
    """
    chosen = {"always": True, "never": False}.get(color)
    if chosen is None and environ.get("NO_COLOR"):
        chosen = False
    return Output(sys.stdout, sys.stderr, chosen, verbosity)


def _for_terminal(text: str) -> str:
    """Return lines of result with what a terminal would obey escaped; scripts get paths as they are."""
    return "".join(c if c in "\n\t" else display(c) for c in text)


def _indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.splitlines())
