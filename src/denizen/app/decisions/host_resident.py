"""The decision that a program of this host's may have libraries brought that it opens and the host lacks.

The program starts as without denizen: the kernel maps it and the host's dynamic linker, whose search finds
the host's libraries. Only what it opens later, and the host has nowhere, is answered (docs/decisions/0009).
In a namespace with denizen's loader at its interpreter the loader arranges that, elsewhere denizen-attach.
"""

from __future__ import annotations

import contextlib
import os
import stat

from denizen.app.resolution.opened_links import make_opened_links
from denizen.errors import BadInput
from denizen.launch.decisions.program_identity import identity_of
from denizen.launch.dlopen_record import place_with
from denizen.launch.host_view import host_view
from denizen.launch.program import once_read
from denizen.launch.resident_choice import system_directories, with_answers
from denizen.linker import read_interpreter, resolve
from denizen.resolve.cache.cached_view import CachedView
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.decisions.examine_program import ExaminedProgram
    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.decisions.decision_store import DecisionStore
    from denizen.launch.program import Program

_CAPABILITIES = "security.capability"


def with_resident(
    session: Session,
    examined: ExaminedProgram,
    wanted: RunRequest,
    decision_store: DecisionStore,
    decision: Decision,
) -> Decision:
    """Return a host decision with a directory for libraries that the program opens.

    Return it unchanged for a program that opens none, and where the directory cannot be made: the program
    starts without it.
    """
    with contextlib.suppress(OSError, BadInput):
        if _may_be_traced(examined.program):
            return _opening(session, examined, wanted, decision_store, decision)
    return decision


def _may_be_traced(program: Program) -> bool:
    """Tell whether the kernel gives the program the same rights when it is traced as when it is not.

    A traced program gets no rights from its file (capabilities(7), execve(2)).
    """
    image = program.image
    if image is None or image.interpreter is None or program.stat.mode & (stat.S_ISUID | stat.S_ISGID):
        return False
    try:
        return not os.getxattr(program.path, _CAPABILITIES)
    except OSError:
        return True  # it has none, or its file system knows none


def _opening(
    session: Session,
    examined: ExaminedProgram,
    wanted: RunRequest,
    decision_store: DecisionStore,
    decision: Decision,
) -> Decision:
    program = examined.program
    assert program.image is not None  # _may_be_traced made sure of it
    header = program.image.header
    view = CachedView(once_read(program, host_view(program.view, (program.interpreter,))))
    environment = replace(examined.context.environment, parse=view.parse)
    closure = resolve(view, program.path, environment)

    def directory() -> bytes:
        settings = read_interpreter(view, decision.ldso)
        if settings is None:
            return b""
        parts = (decision.ldso, *decision.objects)
        place = place_with(decision_store.directory, identity_of(program.stat), parts)
        opened = make_opened_links(session, place, program, wanted)
        opened.leave_to_host(system_directories(view, settings, header))
        return opened.directory

    return with_answers(decision, closure, view.image(decision.ldso), directory)
