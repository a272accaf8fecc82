"""The strategy host: the program is executed, and what it opens later is brought if the host lacks it."""

from __future__ import annotations

from denizen.errors import display
from denizen.launch.dlopen_record import Opened
from denizen.launch.loader.binaries import LoaderAbsent
from denizen.launch.resources.command_paths import brings_commands
from denizen.launch.strategies.base import StrategyName
from denizen.launch.strategies.direct import script_obstacle
from denizen.launch.strategies.dynamic_linker import linker_outside
from denizen.launch.strategies.file_variables import words_for_static
from denizen.launch.strategies.shown_resources import commands_not_here
from denizen.launch.strategies.static_children import lacking_linker
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.strategies.base import ProgramStart


class HostStrategy:
    """The kernel executes the program's file with the host's own dynamic linker.

    denizen-attach (loader/attach) puts the resident before that where the program can open libraries.
    """

    name = StrategyName.HOST
    title = "this host has all it needs: just execute it"

    def obstacle(self, start: ProgramStart) -> str:
        """Return the libraries that the host lacks, or the reason why a namespace is needed.

        Return "" for neither.
        """
        found = start.findings
        if found.unmappable:
            return found.unmappable
        if not found.satisfies:
            lacking = ", ".join([*found.lacking, *map(display, found.later)])
            return f"it lacks: {lacking}" if lacking else "the host's libraries are not to be used"
        if found.usr and not start.mounts.obstacle():
            return found.usr[0]
        if not found.starts:
            return ", ".join(found.lacking)
        if found.follows and not (start.mounts.obstacle() and script_obstacle(start)):
            return "it is a script, and programs that it starts may be foreign"
        if found.looks_for and _shows_files(start):
            return f"it looks for {display(found.looks_for[0].there[0])}, which is not here"
        if _shows_files(start) and (linker := lacking_linker(start.program)):
            return f"it starts programs, and {display(linker)} is not here"
        if start.mounts.obstacle():
            return ""
        commands = commands_not_here(start.program, start.files)
        return f"it executes {display(commands[0])}, which is not here" if commands else ""

    def decision(self, start: ProgramStart, base: Decision, otherwise: tuple[bytes, ...]) -> Decision:  # noqa: ARG002  # the protocol's
        """Return the decision, with the command that lets the program have what it opens at run time.

        Without an index nothing could be brought: the program is executed as it is until there is one.
        """
        made = replace(base, command=(), ldso=linker_outside(start, base))
        if variables := words_for_static(start, base):
            return replace(made, command=(start.files.enter(), *variables, b"--"))
        if not base.opened or not Opened(base.opened).has_index:
            return made
        try:
            return replace(made, command=start.files.attached())
        except LoaderAbsent:
            return made


def _shows_files(start: ProgramStart) -> bool:
    """Tell whether a namespace is to show files that the host lacks.

    It costs each start a mirror of the directories, and set-user-ID programs have no power in it: so only on
    a host with few commands, as for those.
    """
    found = start.findings
    return found.may_mount and brings_commands(start.program.view) and not start.mounts.obstacle()
