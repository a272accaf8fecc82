"""The decision about a program that a running one started, made while it waits in its loader.

Its libraries are found wherever they are, but its files are wanted at fixed paths, and the namespace is that
of the program around it: they are shown there, as those of a library that is brought (brought_files), and in
the next namespaces of that program.
"""

from __future__ import annotations

from denizen.app.decisions.decision_maker import decide
from denizen.app.run_time.brought_files import is_mirrored_here, show_files
from denizen.app.run_time.program_around import decisions_around

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest


def decide_child(session: Session, program: bytes, wanted: RunRequest) -> None:
    """Decide how to start the file at `program`, and show what its packages have where it starts.

    Raises NoSuchProgram, CannotStart, Unsatisfied, CannotUse: and the errors of resolving and realising.
    """
    made = decide(session, program, wanted, is_child=True).decision
    if made.objects and is_mirrored_here():
        for decision_store, decision in decisions_around(session.paths.decisions):
            show_files(decision_store, decision, made.objects)
