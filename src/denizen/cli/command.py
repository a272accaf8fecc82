"""What a command is: the words that select it, its table of arguments, and a function.

Each command group lives in a module of its own that defines `COMMANDS`, a tuple of `Command`;
`TABLE` in `dispatch` names the module, so that asking for one command imports no other. Modules that
define commands import what they run with inside the function that runs it.
"""

from __future__ import annotations

import os

from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from denizen.cli.options import Option, Parsed, Positional
    from denizen.cli.output import Output


# The shell's own default where PATH is not set (execvp(3), confstr(_CS_PATH)).
_DEFAULT_PATH = "/bin:/usr/bin"


def search_path(environ: Mapping[str, str]) -> tuple[bytes, ...]:
    """PATH, split; an empty element stands for the working directory."""
    return tuple(os.fsencode(environ.get("PATH", _DEFAULT_PATH)).split(b":"))


@value
class Context:
    """What every command is given: the environment it may read and where it may write.

    Attributes:
        environ: the process environment, read nowhere else.
        output: stdout and stderr with their colour and width.
        root: `--root` or DENIZEN_ROOT, None for the XDG directories.
        json: one JSON document on stdout, nothing else there.
    """

    environ: Mapping[str, str]
    output: Output
    root: str | None
    json: bool


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
