"""The strategy stub: a patched copy of the program, whose first instructions load denizen's loader."""

from __future__ import annotations

from denizen.errors import HostLacks
from denizen.launch.resources.resource_tree import whole_systems
from denizen.launch.strategies.base import StrategyName
from denizen.launch.strategies.dynamic_linker import linker_outside
from denizen.launch.strategies.file_variables import words_beside_inside
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.strategies.base import ProgramStart


class StubStrategy:
    """A patched copy is executed under the program's name.

    The copy may lie where the program itself cannot be mapped.
    """

    name = StrategyName.STUB
    title = "a patched copy that loads the loader"

    def obstacle(self, start: ProgramStart) -> str:
        """Return the reason why the program's copy cannot be patched; "" for none."""
        from denizen.launch.strategies.entry_stub import CannotStub, plan_stub

        if start.program.image is None:
            return "it is a script"
        try:
            plan_stub(start.program.image, start.files.plain_loader())
        except CannotStub as problem:
            return problem.reason
        except HostLacks as problem:
            return str(problem)
        return ""

    def decision(self, start: ProgramStart, base: Decision, otherwise: tuple[bytes, ...]) -> Decision:  # noqa: ARG002  # the protocol's
        """Return the decision with the command that executes the copy.

        A decision about the copy is kept too.
        """
        from denizen.launch.strategies.patched_copy import patched_copy

        made = replace(base, ldso=linker_outside(start, base))
        steps = words_beside_inside(start, made)
        if whole_systems(made.objects):
            # As in an environment: it, and what it starts, may look for a command along PATH.
            steps = (*steps, b"search", b"/usr/bin")
        copy = patched_copy(start, made)
        return replace(made, command=(start.files.enter(), *steps, b"as", copy, b"--"))
