"""The session: paths, variables and reporter of one invocation, built once by the command line.

Operations get a `Session` and never read the process's environment or print: variables come from the session,
and progress goes to its `Reporter`.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    from denizen.app.paths import DenizenPaths
    from denizen.build.read_packages import ReadPackages
    from denizen.launch.loader.configured_tools import Tools
    from denizen.sources.base import Progress

    class Reporter(Protocol):
        """The receiver of an operation's messages; that of the command line prints them."""

        @property
        def is_verbose(self) -> bool:
            """Tell whether details are to be reported."""

        def say(self, text: str) -> None:
            """Report a sentence about the work, without a full stop."""

        def transfers(self) -> Progress:
            """Return a progress listener for the transfers of one operation."""

        def leave(self) -> None:
            """Write out all messages, and whatever else is left: this process becomes another program."""

        def quieter(self) -> Reporter:
            """Return a reporter that suppresses progress and details."""


# The shell's own default where PATH is not set (execvp(3), confstr(_CS_PATH)).
_DEFAULT_PATH = "/bin:/usr/bin"


# The root of the system's profiles, which all users have (`--system`).
SYSTEM_ROOT = "/var/lib/denizen"


class Session:
    """Paths, the user's variables, and the reporter of one invocation.

    Attributes:
        environ: the variables that denizen was started with; programs are given these.
        root: the directory that holds everything (`--root`), None for the XDG directories.
        short_lived: the process ends with this invocation.
    """

    def __init__(
        self, environ: Mapping[str, str], root: str | None, reporter: Reporter, *, short_lived: bool = False
    ) -> None:
        self.environ = environ
        self.root = root
        self.reporter = reporter
        self.short_lived = short_lived
        self._paths: DenizenPaths | None = None
        self._read_packages: ReadPackages | None = None

    @property
    def paths(self) -> DenizenPaths:
        """The directories of this invocation, checked at the first access.

        Raises:
            Untrusted, StoreAway: a directory is another user's, or the moved store does not exist.
        """
        if self._paths is None:
            from denizen.app.paths import paths_of  # 0.3 ms that `why --host` does not pay

            self._paths = paths_of(self.root, self.environ)
        return self._paths

    @property
    def read_packages(self) -> ReadPackages:
        """The packages that were decoded in this invocation, for those who unpack them."""
        if self._read_packages is None:
            from denizen.build.read_packages import ReadPackages  # most starts decode none

            self._read_packages = ReadPackages()
        return self._read_packages

    def with_variables(self, variables: Mapping[str, str]) -> Session:
        """Return a session with some variables changed; its directories are checked anew."""
        return self._like({**self.environ, **variables}, self.reporter)

    def with_paths(self, paths: DenizenPaths) -> Session:
        """Return the session with other directories, which have been checked."""
        return self._like(self.environ, self.reporter, paths)

    def quieter(self) -> Session:
        """Return the session with a reporter that suppresses progress and details."""
        return self._like(self.environ, self.reporter.quieter(), self._paths)

    def _like(
        self, environ: Mapping[str, str], reporter: Reporter, paths: DenizenPaths | None = None
    ) -> Session:
        made = Session(environ, self.root, reporter, short_lived=self.short_lived)
        made._paths = paths
        made._read_packages = self._read_packages
        return made


def search_path(environ: Mapping[str, str]) -> tuple[bytes, ...]:
    """Return the directories of PATH; an empty element stands for the working directory."""
    return tuple(os.fsencode(environ.get("PATH", _DEFAULT_PATH)).split(b":"))


def tools_of(session: Session) -> Tools:
    """Return denizen's small compiled programs for this machine, from the session's directory."""
    from denizen.host import machine_name
    from denizen.launch.loader.configured_tools import Tools

    return Tools(session.paths.tools, machine_name())
