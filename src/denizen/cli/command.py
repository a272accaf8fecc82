"""The definition of a command: the words that select it, its table of arguments, and a function.

Each command group has a module of its own that defines `COMMANDS`, a tuple of `Command`. `TABLE` in
`dispatch` names the module, so that one command imports no other. A module that defines commands imports what
they use inside the function that runs them. Here too are what a command gets: its Context, and the reporter
by which the operations of `app` print messages on standard error.
"""

from __future__ import annotations

from denizen.value import Row, Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from denizen.app.session import Reporter, Session
    from denizen.cli.options import Option, Parsed, Positional
    from denizen.cli.output import Output
    from denizen.sources.base import Progress


class Context(Value):
    """The session and the output of one command.

    Attributes:
        session: for the operations of `app`; never handed below them.
        output: stdout and stderr with their colour and width.
        json: write one JSON document and nothing else to stdout.
    """

    session: Session
    output: Output
    json: bool

    @property
    def environ(self) -> Mapping[str, str]:
        """The process's environment variables."""
        return self.session.environ

    def show(self, document: Callable[[], object], lines: Iterable[str], none: str = "") -> None:
        """Write the result to stdout: with --json as one document, else as lines.

        Args:
            document: returns what JSON is made of.
            lines: the text, which is not made with --json.
            none: what stderr says if there is no line.
        """
        if self.json:
            self.output.document(document())
            return
        wrote = False
        for line in lines:
            self.output.line(line)
            wrote = True
        if none and not wrote:
            self.output.say(none)

    def report(self, document: Callable[[], object], lines: Iterable[str]) -> None:
        """Tell what was done: with --json as one document on stdout, else as lines on stderr."""
        if self.json:
            self.output.document(document())
            return
        for line in lines:
            self.output.say(line)


class Command(Value):
    """One command (`why`) or subcommand (`store add`).

    Attributes:
        words: the words that select it: ("store", "add").
        summary: one line for help, no full stop.
        run: carries it out and returns the exit status.
        positionals: its positional arguments, in order.
        options: its own options; `dispatch` adds the options of every command.
        description: more text for its --help; paragraphs separated by blank lines.
        is_text: its result is another format's (a script, a log, an archive), and --json is refused.
    """

    words: tuple[str, ...]
    summary: str
    run: Callable[[Parsed, Context], int]
    positionals: tuple[Positional, ...] = ()
    options: tuple[Option, ...] = ()
    description: str = ""
    is_text: bool = False

    @property
    def offered(self) -> tuple[Option, ...]:
        """Its own options that help shows."""
        return tuple(option for option in self.options if option.help)


class Group(Row):
    """A row of the command table: the first word, its module, its line in `denizen --help`."""

    word: str
    module: str
    summary: str
    everyday: bool


class OutputReporter(Value):
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
