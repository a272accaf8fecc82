"""The resolution that a lock holds: a program's libraries, or the files that a static program looks for."""

from __future__ import annotations

import os

from denizen.app.no_program import why_unusable
from denizen.app.resolution.resolve_program import resolve_path
from denizen.app.static_program_packages import files_resolution
from denizen.disk_view import DiskView
from denizen.errors import BadInput, display
from denizen.launch.program import open_program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.session import Session
    from denizen.resolve.resolution import Resolution
    from denizen.sources.fetch_policy import FetchPolicy


class NotLocked(BadInput):
    """The error that a file is none that a lock could be written for."""

    program: bytes
    reason: str
    WHAT = "{program} cannot be locked"
    WHY = "{reason:text}"


def resolution_to_lock(
    session: Session, path: bytes, policy: FetchPolicy, suites: tuple[str, ...], extra: Sequence[bytes]
) -> Resolution:
    """Return what a start by the lock has from packages.

    Raises:
        NotLocked: the path is of a file that is neither a program nor a library. Also as `resolve_path`.
    """
    if not os.path.isdir(path):
        _check_program(path)
    found = files_resolution(session, path, policy, suites)
    return resolve_path(session, path, policy, suites, extra) if found is None else found


def _check_program(path: bytes) -> None:
    program = open_program(DiskView(), path)
    if program.script is not None:
        raise NotLocked(path, f"it is a script: lock its interpreter, {display(program.script.interpreter)}")
    if reason := why_unusable(program):
        raise NotLocked(path, reason)
