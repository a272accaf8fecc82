"""The decision that a program of an environment gets what it opens and starts and the environment lacks.

The dynamic linker of the environment finds what the program starts with, as a host's does. What a package
opens at run time it only recommends, or leaves to whoever installs it (Java's library of fonts needs
HarfBuzz), and an environment that denizen makes by itself has what is depended on. The loader, which lies
over the environment's dynamic linker, looks such decisions up (`interpret` in loader/start.c).
"""

from __future__ import annotations

import contextlib
import stat

from denizen.app.host_linker_environment import host_context
from denizen.app.resolution.opened_links import make_opened_links_inside
from denizen.disk_view import RootedView
from denizen.errors import BadInput
from denizen.launch.decisions.program_identity import identity_of
from denizen.launch.dlopen_record import place_with
from denizen.launch.resident_choice import with_answers
from denizen.linker import resolve
from denizen.resolve.cache.cached_view import CachedView
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.decisions.decision_store import DecisionStore
    from denizen.launch.program import Program


def with_resident_inside(
    session: Session,
    wanted: RunRequest,
    decision_store: DecisionStore,
    program: Program,
    decision: Decision,
) -> Decision:
    """Return the decision of a program in an environment, its only object, with a place for what it opens.

    Return it unchanged for a script, a program that opens nothing, one that gets rights from its file, and
    where the directory cannot be made: the program starts without it.
    """
    image = program.image
    if image is None or image.interpreter is None or program.stat.mode & (stat.S_ISUID | stat.S_ISGID):
        return decision
    with contextlib.suppress(OSError, BadInput):
        return _opening(session, wanted, decision_store, program, decision)
    return decision


def _opening(
    session: Session,
    wanted: RunRequest,
    decision_store: DecisionStore,
    program: Program,
    decision: Decision,
) -> Decision:
    (tree,) = decision.objects
    # A tree has /usr alone; links such as /lib64 into it are made on entering.
    ldso = b"/usr" + program.interpreter.removeprefix(b"/usr")
    view = CachedView(RootedView(tree))
    context = host_context(session.environ, ldso).environment
    environment = replace(context, parse=view.parse, interpreter_path=ldso)
    closure = resolve(view, program.path.removeprefix(tree), environment)

    def directory() -> bytes:
        place = place_with(decision_store.directory, identity_of(program.stat), (ldso, tree))
        return make_opened_links_inside(session, place, program, wanted, tree).directory

    return with_answers(decision, closure, view.image(ldso), directory)
