"""The reporter of `app`'s operations that prints their messages on standard error."""

from __future__ import annotations

from denizen.value import replace, value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Reporter
    from denizen.cli.output import Output
    from denizen.sources.base import Progress


@value
class OutputReporter:
    """A `Reporter` over the command line's output."""

    output: Output

    @property
    def is_verbose(self) -> bool:
        return self.output.verbosity > 0

    def say(self, text: str) -> None:
        self.output.say(text)

    def transfers(self) -> Progress:
        from denizen.cli.views.download_progress import open_progress

        return open_progress(self.output)

    def flush(self) -> None:
        self.output.flush()
        self.output.stderr.flush()

    def quieter(self) -> Reporter:
        return OutputReporter(replace(self.output, verbosity=-1))
