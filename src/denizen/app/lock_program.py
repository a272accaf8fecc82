"""The resolution that a lock holds: a program's libraries, or the files that a static program looks for."""

from __future__ import annotations

from denizen.app.resolution.resolve_program import resolve_path
from denizen.app.static_program_packages import files_resolution

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.session import Session
    from denizen.resolve.resolution import Resolution
    from denizen.sources.fetch_policy import FetchPolicy


def resolution_to_lock(
    session: Session, path: bytes, policy: FetchPolicy, suites: tuple[str, ...], extra: Sequence[bytes]
) -> Resolution:
    """Return what a start by the lock has from packages. Raises as `resolve_path`."""
    found = files_resolution(session, path, policy, suites)
    return resolve_path(session, path, policy, suites, extra) if found is None else found
