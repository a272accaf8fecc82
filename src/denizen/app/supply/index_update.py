"""The update of indexes that a user asks for: `denizen index update`."""

from __future__ import annotations

from denizen.app.supply.configured_sources import configured_sources
from denizen.app.supply.ensure_index import run_update, targets_of
from denizen.app.supply.liblzma_setup import provide_decoder
from denizen.app.supply.own_architecture import own_architecture
from denizen.index.index_manifest import read_manifest
from denizen.sources.base import Snapshot
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.session import Session
    from denizen.index.index_manifest import IndexEntry
    from denizen.index.update_targets import UpdateOutcome
    from denizen.sources.base import Scope, Source
    from denizen.sources.fetch_policy import FetchPolicy


class IndexUpdateRequest(Value):
    """A request to bring indexes up to date.

    Attributes:
        scope: libraries alone, or every path too.
        suites: the suites; () for all of every source.
        architectures: by Debian's names; () for this machine's.
        force: build anew what has not changed too.
    """

    scope: Scope
    policy: FetchPolicy
    suites: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    force: bool = False


def update_indexes(session: Session, request: IndexUpdateRequest) -> list[UpdateOutcome]:
    """Bring indexes up to date; return the outcome of each.

    What sources prepared for earlier indexes is deleted.

    Raises BadSetting, NoKeyring, HostLacks.
    """
    progress = session.reporter.transfers()
    sources = configured_sources(session, request.policy, progress)
    architectures = request.architectures or (own_architecture(),)
    targets = targets_of(sources, request.suites, architectures, request.scope)
    outcomes = run_update(session, targets, progress, force=request.force)
    provide_decoder(session, request.policy)
    _forget(sources, read_manifest(session.paths.index))
    return outcomes


def _forget(sources: Sequence[Source], entries: Sequence[IndexEntry]) -> None:
    for source in sources:
        source.forget(
            [
                (
                    Snapshot(entry.source, entry.suite, entry.suite, entry.identity, entry.date),
                    entry.architecture,
                )
                for entry in entries
                if entry.source == source.name
            ]
        )
