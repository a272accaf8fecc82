"""The strategy stub: a patched copy of the program, whose first instructions load denizen's loader."""

from __future__ import annotations

import os

from denizen.disk import make_directories
from denizen.errors import HostLacks
from denizen.launch.decisions.decision_store import COPIES
from denizen.launch.strategies.base import StrategyName
from denizen.launch.strategies.dynamic_linker import linker_outside
from denizen.launch.strategies.given_variables import words_beside_inside
from denizen.launch.strategies.resource_links import linked_resources
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
        made = replace(base, ldso=linker_outside(start, base))
        variables = words_beside_inside(start, made)
        return replace(made, command=(start.files.enter(), *variables, b"as", _copy(start, made), b"--"))


def _copy(start: ProgramStart, base: Decision) -> bytes:
    """Return the path of the patched copy, which is made with a decision of its own."""
    from denizen import elf
    from denizen.launch.decisions.program_identity import headers_of, identity_name, identity_of
    from denizen.launch.strategies.entry_stub import plan_stub
    from denizen.launch.strategies.patched_copy import make_copy

    program, view = start.program, start.program.view
    assert program.image is not None  # `obstacle` made sure of it
    plan = plan_stub(program.image, start.files.plain_loader())
    top = os.path.join(start.decision_store.directory, COPIES, identity_name(base.identity))
    make_directories(os.path.dirname(top), 0o700)
    copy = make_copy(program.path, top, plan.patches)
    patched = replace(
        base,
        identity=identity_of(view.stat(copy)),
        headers=headers_of(elf.read(view.read(copy))),
        program=copy,
        shown=view.realpath(program.path),
        resources=linked_resources(start, base),
        command=(),
        edits=(*base.edits, *plan.restores),
    )
    start.decision_store.write(patched, movable=False)
    return copy
