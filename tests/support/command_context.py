"""The context of a command, for tests that call commands' code in this process."""

from collections.abc import Mapping

from denizen.app.session import Session
from denizen.cli.command import Context, OutputReporter
from denizen.cli.output import open_output


def context_of(environ: Mapping[str, str], root: str | None, *, verbosity: int = 0) -> Context:
    """Return the context of a command started with these variables and this `--root`."""
    output = open_output(environ, color="never", verbosity=verbosity)
    return Context(Session(environ, root, OutputReporter(output, lambda: None)), output, json=False)
