"""The path of a decision's dynamic linker; in a namespace the host's own has another path."""

from __future__ import annotations

from denizen.launch.host_view import loader_at
from denizen.launch.strategies.namespace_plan import mount_point_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.program import Program
    from denizen.launch.strategies.base import ProgramStart


def is_bound(program: Program) -> bool:
    """Return whether this process is in a namespace with the loader at the program's interpreter path."""
    settings = loader_at(program.view, program.interpreter)
    return settings is not None and settings.bound


def linker_outside(start: ProgramStart, base: Decision) -> bytes:
    """Return the path of the decision's dynamic linker for a start that makes no namespace."""
    outside = not base.host and not is_bound(start.program)
    return start.program.interpreter if outside and base.ldso == _hidden(start) else base.ldso


def linker_in_namespace(start: ProgramStart, base: Decision) -> bytes:
    """Return the path of the decision's dynamic linker for a start in a namespace of its own."""
    replaced = not base.host and base.ldso == start.program.interpreter
    return _hidden(start) if replaced else base.ldso


def _hidden(start: ProgramStart) -> bytes:
    """Return the path of the host's own dynamic linker in a namespace."""
    return start.files.hidden(mount_point_for(start.program.view, start.program.interpreter).path)
