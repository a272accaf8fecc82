"""The reporter of `app`'s operations that prints their messages on standard error."""

from __future__ import annotations

from denizen.value import replace, value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from denizen.app.session import Reporter
    from denizen.cli.output import Output
    from denizen.sources.base import Progress


@value
class OutputReporter:
    """A `Reporter` over the command line's output.

    Attributes:
        output: where messages are printed.
        at_exec: called when this process is about to become another program.
    """

    output: Output
    at_exec: Callable[[], None]

    @property
    def is_verbose(self) -> bool:
        return self.output.verbosity > 0

    def say(self, text: str) -> None:
        self.output.say(text)

    def transfers(self) -> Progress:
        from denizen.cli.views.download_progress import open_progress

        return open_progress(self.output)

    def leave(self) -> None:
        self.output.flush()
        self.output.stderr.flush()
        self.at_exec()

    def quieter(self) -> Reporter:
        return OutputReporter(replace(self.output, verbosity=-1), self.at_exec)
