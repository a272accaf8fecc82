"""The decision about a program that a running one started, made while it waits in its loader.

Its libraries are found wherever they are, but its files are wanted at fixed paths. A program that wants a
whole environment enters it, out of the namespace of the program around it. Files alone are shown in that
namespace, as those of a library that is brought (brought_files), and in the next namespaces of that program.
Without a namespace, what is executed of the packages around a program finds those packages around itself.
"""

from __future__ import annotations

import os

from denizen.app.decisions.decision_maker import decide
from denizen.app.decisions.surrounded_program import SurroundedPrograms
from denizen.app.environments.standing_tree import StandingTree
from denizen.app.run_time.brought_files import is_mirrored_here, show_files
from denizen.app.run_time.program_around import decisions_around
from denizen.app.supply.store_access import made_store
from denizen.formats import storepath
from denizen.launch.decisions.decision_store import RESOURCE_TREES, decision_stores
from denizen.launch.fast_path import read_decision
from denizen.launch.resources.resource_tree import whole_systems

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.launch.decisions.decision import Decision


def decide_child(session: Session, program: bytes, wanted: RunRequest) -> None:
    """Decide how to start the file at `program`, and show what its packages have where it starts.

    Raises NoSuchProgram, CannotStart, Unsatisfied, CannotUse: and the errors of resolving and realising.
    """
    around = _trees_around(session.paths.decisions, program)
    if around:
        _decide_surrounded(session, os.path.realpath(program), wanted, around)
        return
    made = _decision_about(session, program, wanted)
    # One that enters an environment has its files there.
    if made.objects and not whole_systems(made.objects) and is_mirrored_here():
        for decision_store, decision in decisions_around(session.paths.decisions):
            show_files(decision_store, decision, made.objects)


def _decision_about(session: Session, program: bytes, wanted: RunRequest) -> Decision:
    return decide(session, program, wanted).decision


def _trees_around(decisions: bytes, program: bytes) -> tuple[bytes, ...]:
    """Return the trees around the program in whose tree of files a child is executed."""
    for decision_store in decision_stores(decisions):
        top = os.path.join(decision_store.directory, RESOURCE_TREES) + b"/"
        if program.startswith(top):
            name = program[len(top) :].partition(b"/")[0]
            found = read_decision(os.path.join(decision_store.directory, name))
            return whole_systems(found.objects) if found is not None else ()
    return ()


def _decide_surrounded(
    session: Session, program: bytes, wanted: RunRequest, around: tuple[bytes, ...]
) -> None:
    with made_store(session) as store, store.working():
        programs = SurroundedPrograms(session, store, wanted, _decision_about)
        for tree in around:
            programs.decided(program, StandingTree(storepath.from_base(os.path.basename(tree)), tree))
