"""The decision about a program that a running one started, made while it waits in its loader.

Its libraries are found wherever they are, but its files are wanted at fixed paths, and the namespace is that
of the program around it: they are shown there, as those of a library that is brought (brought_files), and in
the next namespaces of that program.
"""

from __future__ import annotations

import os

from denizen.app.decisions.decision_maker import decide
from denizen.app.run_time.brought_files import is_mirrored_here, makes_mirrors, show_files
from denizen.launch.decisions.decision_store import decision_stores
from denizen.launch.fast_path import decided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.decisions.decision_store import DecisionStore

_MAX_ANCESTORS = 64


def decide_child(session: Session, program: bytes, wanted: RunRequest) -> None:
    """Decide how to start the file at `program`, and show what its packages have where it starts.

    Raises NoSuchProgram, CannotStart, Unsatisfied, CannotUse: and the errors of resolving and realising.
    """
    made = decide(session, program, wanted).decision
    if made.objects and is_mirrored_here():
        for decision_store, decision in _around(session.paths.decisions):
            show_files(decision_store, decision, made.objects)


def _around(decisions: bytes) -> list[tuple[DecisionStore, Decision]]:
    """Return the decisions about the nearest program around that makes mirrors, with their stores."""
    stores = list(decision_stores(decisions))
    for program in _ancestors():
        found = [(one, known) for one in stores if (known := _known(one.directory, program)) is not None]
        if found:
            return found
    return []


def _known(directory: bytes, program: bytes) -> Decision | None:
    try:
        found = decided(directory, program)
    except OSError:
        return None
    return found if found is not None and makes_mirrors(found) else None


def _ancestors() -> Iterator[bytes]:
    """Yield the programs of the processes above this one, the nearest first, as far as they can be read."""
    process = os.getppid()
    for _ in range(_MAX_ANCESTORS):
        try:
            program = os.readlink(b"/proc/%d/exe" % process)
            with open(f"/proc/{process}/stat", "rb") as stream:
                parent = int(stream.read().rpartition(b")")[2].split()[1])
        except OSError:
            return
        yield program
        process = parent
