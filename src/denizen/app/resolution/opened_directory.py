"""The directory of links to the libraries that a program opens at run time, as a decision needs it."""

from __future__ import annotations

from denizen.app.resolution.resolve_program import files_of, indexed_suites, indexes_of
from denizen.launch.dlopen_links import Opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.request import RunRequest
    from denizen.app.session import Session
    from denizen.launch.program import Program


def made_opened(session: Session, directory: bytes, program: Program, wanted: RunRequest) -> Opened:
    """Return the directory, made unless it is there, with the indexes that say what could be brought.

    Raises OSError.
    """
    opened = Opened(directory)
    opened.make(locked=wanted.lock is not None)
    suites = indexed_suites(session, program.path, wanted.suites)
    opened.look_in(files_of(indexes_of(session, program.path, suites)))
    return opened
