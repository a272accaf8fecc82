"""The session: what every operation of denizen works with, built once by the command line.

Operations get a `Session` and never read the process's environment or print: what the environment says is in
the session, and what happens is told to its `Reporter`.
"""

from __future__ import annotations

import os

from denizen.app.paths import DenizenPaths, paths_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    from denizen.sources.base import Progress
else:
    Protocol = object

# The shell's own default where PATH is not set (execvp(3), confstr(_CS_PATH)).
_DEFAULT_PATH = "/bin:/usr/bin"


class Reporter(Protocol):
    """The listener to an operation; the command line's shows a person what it hears."""

    @property
    def is_verbose(self) -> bool:
        """Whether details are wanted too."""

    def say(self, text: str) -> None:
        """Hear a sentence about the work, without a full stop."""

    def transfers(self) -> Progress:
        """Return a listener to the transfers of one operation."""

    def flush(self) -> None:
        """Hand on everything that was heard: this process is about to become a program."""

    def quieter(self) -> Reporter:
        """Return a reporter that lets nobody hear of progress and details."""


class Session:
    """Paths, the user's variables, and the reporter of one invocation.

    Attributes:
        environ: the variables that denizen was started with; programs are given these.
        root: the directory that holds everything (`--root`), None for the XDG directories.
    """

    def __init__(self, environ: Mapping[str, str], root: str | None, reporter: Reporter) -> None:
        self.environ = environ
        self.root = root
        self.reporter = reporter
        self._paths: DenizenPaths | None = None

    @property
    def paths(self) -> DenizenPaths:
        """The directories of this invocation, checked when first asked for.

        Raises:
            NoHome: there is no place to keep anything.
            Untrusted, StoreAway: a directory is another user's, or the moved store is not there.
        """
        if self._paths is None:
            self._paths = paths_of(self.root, self.environ)
        return self._paths

    def with_variables(self, variables: Mapping[str, str]) -> Session:
        """Return a session in which some variables are others; their directories are checked anew."""
        return Session({**self.environ, **variables}, self.root, self.reporter)

    def quieter(self) -> Session:
        """Return the session for work that only its caller's caller is to hear of."""
        quiet = Session(self.environ, self.root, self.reporter.quieter())
        quiet._paths = self._paths
        return quiet


def search_path(environ: Mapping[str, str]) -> tuple[bytes, ...]:
    """Return PATH, split; an empty element stands for the working directory."""
    return tuple(os.fsencode(environ.get("PATH", _DEFAULT_PATH)).split(b":"))
