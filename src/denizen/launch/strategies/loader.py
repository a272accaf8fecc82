"""The strategy loader: denizen's loader is installed at the program's interpreter path."""

from __future__ import annotations

import os

from denizen.errors import display
from denizen.launch.host_view import loader_at
from denizen.launch.strategies.base import StrategyName
from denizen.launch.strategies.dynamic_linker import is_bound, linker_outside
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.strategies.base import ProgramStart


class LoaderStrategy:
    """The program is executed; the kernel starts the loader as its interpreter."""

    name = StrategyName.LOADER
    title = "the installed loader is its interpreter"

    def obstacle(self, start: ProgramStart) -> str:
        """Return the reason why no loader at the interpreter's path reads this decision; "" for none."""
        if start.findings.unmappable:
            return start.findings.unmappable
        interpreter = start.program.interpreter
        settings = loader_at(start.program.view, interpreter)
        if settings is None:
            return f"no loader of denizen's is at {display(interpreter)}"
        uid = b"%d" % os.geteuid()
        if start.decision_store.directory not in [d.replace(b"%u", uid) for d in settings.directories]:
            return f"the loader at {display(interpreter)} looks for decisions elsewhere"
        return ""

    def decision(self, start: ProgramStart, base: Decision, otherwise: tuple[bytes, ...]) -> Decision:  # noqa: ARG002  # the protocol's
        """Return the decision with a command that executes the program."""
        made = replace(base, command=(start.files.enter(), b"--"), ldso=linker_outside(start, base))
        # The decision holds in this namespace only: generation 0 has it made again elsewhere.
        return replace(made, generation=0) if is_bound(start.program) else made
