"""The strategy direct: denizen's loader, run as a program, maps the program or a script's interpreter."""

from __future__ import annotations

from denizen.errors import HostLacks
from denizen.launch.strategies.base import StrategyName
from denizen.launch.strategies.dynamic_linker import linker_outside
from denizen.launch.strategies.shown_resources import linked_resources
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.strategies.base import ProgramStart


class DirectStrategy:
    """The loader is executed and maps the program, in place of the kernel."""

    name = StrategyName.DIRECT
    title = "the loader, run as a program, maps it"

    def obstacle(self, start: ProgramStart) -> str:
        """Return the reason why the loader cannot map the program, or a script's interpreter; "" for none."""
        if start.findings.unmappable:
            return start.findings.unmappable
        if start.program.image is None:
            return script_obstacle(start)
        if start.program.image.interpreter is None:
            return "it is static: the loader has no libraries to load"
        try:
            start.files.plain_loader()
        except HostLacks as problem:
            return str(problem)
        return ""

    def decision(self, start: ProgramStart, base: Decision, otherwise: tuple[bytes, ...]) -> Decision:  # noqa: ARG002  # the protocol's
        """Return the decision, without a command for a program: the fast path executes the loader then."""
        made = replace(base, ldso=linker_outside(start, base))
        if start.program.image is None:
            return replace(made, command=_script_command(start))
        start.files.link_loader()
        tree = start.decision_store.resource_tree(base.identity)
        return replace(made, command=(), resources=linked_resources(start.program, start.files, base, tree))


def script_obstacle(start: ProgramStart) -> str:
    """Return the obstacle to starting a script's interpreter by the loader, "" for none."""
    from denizen import elf
    from denizen.launch.decisions.program_identity import machine_of
    from denizen.launch.script_launch import obstacle

    view = start.program.view
    try:
        loader = elf.read(view.read(start.files.plain_loader()))
        start.files.inside()
    except HostLacks as problem:
        return str(problem)
    return obstacle(start.program, machine_of(loader), start.files.brings)


def _script_command(start: ProgramStart) -> tuple[bytes, ...]:
    from denizen.launch.script_launch import is_brought, words, words_to_bring

    script, files = start.program.script, start.files
    assert script is not None  # `obstacle` made sure of it
    is_here = not is_brought(start.program, files.brings)
    return (files.plain_loader(), *(words(script) if is_here else words_to_bring(script)))
