"""The existing indexes that are believed: those of what the configured sources mean now.

An index stays in use between updates. Before denizen required that a Release states its source's Origin, that
of a vendor's repository could be made under the name of Debian; and a user can give a source's name to other
packages. So each index has its source's provenance (sources.source_settings), and one of another is not used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.session import Session
    from denizen.index.index_manifest import IndexEntry
    from denizen.index.locate import Index


def open_index(session: Session, architecture: str, suites: Sequence[str] = ()) -> Index:
    """Return the existing indexes of the configured sources for an architecture, of some suites or of all.

    Raises BadSetting, NoKeyring, DamagedManifest.
    """
    from denizen.index.index_manifest import read_manifest
    from denizen.index.locate import Index

    entries = read_manifest(session.paths.index)
    return Index(session.paths.index, architecture, suites, believed(session, entries))


def believed(session: Session, entries: Sequence[IndexEntry]) -> tuple[IndexEntry, ...]:
    """Return the indexes that are used: those of what the sources now mean. Raises BadSetting, NoKeyring."""
    from denizen.app.supply.provenance_cache import source_provenances

    now = source_provenances(session) if entries else {}
    return tuple([entry for entry in entries if now.get(entry.source) == entry.provenance])
