"""What a command is: the words that select it, its table of arguments, and a function.

Each command group lives in a module of its own that defines `COMMANDS`, a tuple of `Command`;
`TABLE` in `dispatch` names the module, so that asking for one command imports no other. Modules that
define commands import what they run with inside the function that runs it.
"""

from __future__ import annotations

from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from denizen.app.session import Session
    from denizen.cli.options import Option, Parsed, Positional
    from denizen.cli.output import Output


@value
class Context:
    """The surroundings of one command: its session, and where it may write.

    Attributes:
        session: for the operations of `app`; never handed below them.
        output: stdout and stderr with their colour and width.
        json: one JSON document on stdout, nothing else there.
    """

    session: Session
    output: Output
    json: bool

    @property
    def environ(self) -> Mapping[str, str]:
        """The process's environment."""
        return self.session.environ


@value
class Command:
    """One command (`why`) or subcommand (`store add`).

    Attributes:
        words: the words that select it: ("store", "add").
        summary: one line for help, no full stop.
        positionals: its positional arguments, in order.
        options: its own options; the ones of every command are added by `dispatch`.
        run: does it; returns the exit status.
        description: more for its own --help; paragraphs separated by blank lines.
    """

    words: tuple[str, ...]
    summary: str
    run: Callable[[Parsed, Context], int]
    positionals: tuple[Positional, ...] = ()
    options: tuple[Option, ...] = ()
    description: str = ""

    @property
    def offered(self) -> tuple[Option, ...]:
        """Its own options that people are told of."""
        return tuple(option for option in self.options if option.help)
