"""The strategy namespace: a mount namespace in which denizen's loader is at the program's interpreter."""

from __future__ import annotations

from denizen.launch.strategies.base import StrategyName, fallback_words
from denizen.launch.strategies.dynamic_linker import linker_in_namespace
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.strategies.base import ProgramStart


class NamespaceStrategy:
    """The program is executed in a mount namespace of its own."""

    name = StrategyName.NAMESPACE
    title = "the loader bound over its interpreter's path"

    def obstacle(self, start: ProgramStart) -> str:
        """Return the error from trying a namespace with the loader in it; "" for none."""
        return start.findings.unmappable or start.mounts.obstacle()

    def decision(self, start: ProgramStart, base: Decision, otherwise: tuple[bytes, ...]) -> Decision:
        """Return the decision with the command that makes the namespace."""
        steps = (*fallback_words(otherwise), *start.mounts.steps(base))
        if base.names_commands:
            # It searches PATH itself, which may lack the directory that its commands are shown in.
            steps = (*steps, b"search", b"/usr/bin")
        linker = linker_in_namespace(start, base)
        return replace(base, command=(start.files.enter(), *steps, b"--"), ldso=linker)
