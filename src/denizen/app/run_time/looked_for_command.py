"""The answer to a program that looks along PATH for a command which this host lacks (docs/decisions/0016)."""

from __future__ import annotations

import os
from enum import Enum

from denizen.app.command_package import command_package, packages_about
from denizen.app.run_time.missing_command import CommandProvision, NotACommand
from denizen.launch.command_alternatives import package_for_program
from denizen.launch.command_links import is_command
from denizen.launch.command_rules import is_essential, kept_out_reason, unseen_reason
from denizen.launch.kept_out import NOT_PACKAGED, command_not_brought

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest


class Looker(Enum):
    """Whatever looks for a command: a program, a script's interpreter, or one that has it as argument."""

    PROGRAM = "program"
    SCRIPT = "script"
    ARGUMENT = "argument"


def look_for_command(session: Session, path: bytes, wanted: RunRequest, looker: Looker) -> None:
    """Let programs that look for a command along PATH see it, or record why they do not.

    Nothing is brought: a command comes when it is executed.

    Raises:
        NotACommand: the path is no command's.
        OSError: and the errors of indexes. Nothing is recorded then.
    """
    name = os.path.basename(path)
    if not is_command(name):
        raise NotACommand(path)
    _LookedForCommand(session.quieter(), wanted).look_for(name, looker)


class _LookedForCommand(CommandProvision):
    """The record of who sees one command."""

    def look_for(self, name: bytes, looker: Looker) -> None:
        """Record whether a program that looks for a command sees it.

        It does if the command is the one that its package is about, which has the command's name, or if every
        system has it: of other tools that come together (ld) programs ask whether the system has them. What
        comes with others (lpstat), and a name of which Debian has several packages (java), a script alone
        sees, of a shell or of Python: it looks for what it is about to execute, where a program has other
        ways to do without. What the user named to the program (`ccache gcc`) is asked for, whatever it is.
        """
        alternative = package_for_program(name).decode()
        about = (alternative,) if alternative else packages_about(name)
        is_wanted = looker is Looker.ARGUMENT or any(one in self._wanted.extra for one in about)
        unless_asked_for = "" if is_wanted else unseen_reason(name)
        reason = kept_out_reason(name) or unless_asked_for
        if reason:
            self._links.leave_unseen(name, reason)
            holder = self._package_with(name, about[0]) if unless_asked_for else ""
            if holder:
                self._links.keep_out(name, command_not_brought(name, unless_asked_for, holder))
        elif is_essential(name):
            self._see(name, (), self._size(()))
        else:
            is_sought = looker is not Looker.PROGRAM or bool(self._wanted.extra) or self._is_any_here(about)
            found = self._packages_with(name) if is_sought else ()
            is_about = any(one in (*about, *self._wanted.extra) for one in found[:1])
            if looker is Looker.PROGRAM and not is_about:
                self._links.leave_unseen(name, "no package of its name has it", scripts_too=False)
            elif not found:
                self._links.leave_unseen(name, NOT_PACKAGED)
            else:
                # Recommended packages come where the budget has room for them.
                scripts_alone = (
                    not is_wanted and not self._is_asked_for and (bool(alternative) or not is_about)
                )
                self._see(name, found, self._size(found[:1]), scripts_alone=scripts_alone)

    def _is_any_here(self, packages: tuple[str, ...]) -> bool:
        """Tell whether the index has one of the packages, of whose files nothing is read yet."""
        with self._index() as index:
            return any(index.packages(one.encode()) for one in packages)

    def _see(self, name: bytes, packages: tuple[str, ...], size: int, *, scripts_alone: bool = False) -> None:
        """Let programs see a command, if what it needs is within the budget."""
        # With --ask the user is asked when it is started.
        reason = "" if self._wanted.ask else self._over_budget(size)
        if reason:
            self._leave_out(name, reason, *packages[:1])
        else:
            self._links.see(name, scripts_alone=scripts_alone)

    def _package_with(self, name: bytes, package: str) -> str:
        """Return the package that has a command by the indexes here, or `package` if there is one."""
        with self._index() as index:
            return command_package(index, name) or (package if index.packages(package.encode()) else "")
