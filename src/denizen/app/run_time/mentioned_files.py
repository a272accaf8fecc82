"""The answer to a running program that opened an object which names files that this root lacks.

An addon that draws text by itself looks for fonts at a path among its constants, one that speaks TLS for
authorities. No library is missed, so nothing else would tell. The resident
(loader/resident/mentioned_files.c) waits.
"""

from __future__ import annotations

import os

from denizen.app.run_time.brought_files import shows_files
from denizen.app.run_time.running_program import running
from denizen.app.supply.store_access import made_store
from denizen.resolve.missed_library_choice import mentioned_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.run_time.running_program import RunningProgram
    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest


def bring_mentioned(session: Session, directory: bytes, path: bytes, wanted: RunRequest) -> None:
    """Show the files that the object at `path` names, and remember that it was looked at.

    Args:
        session: the paths and the reporter.
        directory: the directory of links of the program's decision.
        path: the object's path.
        wanted: the options of the program's start.

    Raises:
        NotOurs, BadInput, OSError: and the errors of fetching and realising. Nothing is remembered then.
    """
    with running(session, directory, wanted) as program:
        looked_at = os.stat(path)
        if not program.opened.is_locked and shows_files(program.decision_store, program.decision):
            _bring(program, path)
        program.opened.examined(looked_at)


def _bring(program: RunningProgram, path: bytes) -> None:
    resolution = program.choose(mentioned_files, path)
    if resolution is None:
        return
    with made_store(program.session) as store, store.working() as work:
        added = program.addition(store, resolution)
        new, size = added.new, added.size
        if new and not program.over_budget(size):
            program.install(store, work, resolution, new)
            program.record_packages(new)
