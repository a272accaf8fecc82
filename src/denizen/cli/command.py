"""What a command is: a name, a line of help, how to read its arguments, and a function.

Each command group lives in a module of its own that defines `COMMANDS`, a tuple of `Command`;
`TABLE` in `dispatch` names the module, so that asking for one command imports no other.
"""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from denizen.cli.output import Output


@dataclass(frozen=True, slots=True)
class Context:
    """What every command is given: the environment it may read and where it may write.

    Attributes:
        environ: the process environment, read nowhere else.
        output: stdout and stderr with their colour and width.
        root: `--root` or DENIZEN_ROOT, None for the XDG directories.
        json: one JSON document on stdout, nothing else there.
        debug: tracebacks instead of sentences.
    """

    environ: Mapping[str, str]
    output: Output
    root: str | None
    json: bool
    debug: bool


@dataclass(frozen=True, slots=True)
class Command:
    """One command (`why`) or subcommand (`store add`).

    Attributes:
        path: the words that select it.
        summary: one line for help.
        arguments: declares its arguments on a parser.
        run: does it; returns the exit status.
        description: more for its own --help.
        passthrough: everything after the first positional belongs to the program (`run`).
    """

    path: tuple[str, ...]
    summary: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, Context], int]
    description: str = ""
