"""The first update of an index that a command needs and that is missing or not enough."""

from __future__ import annotations

from denizen.errors import BadInput
from denizen.lazy_pattern import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeVar

    from denizen.app.session import Session
    from denizen.errors import DenizenError
    from denizen.index.index_manifest import IndexEntry
    from denizen.index.update_targets import UpdateOutcome, UpdatePlan, UpdateTarget
    from denizen.sources.base import Progress, Scope, Source
    from denizen.sources.fetch_policy import FetchPolicy

    SourceT = TypeVar("SourceT")

# The name becomes a part of addresses: of the letters of Debian's Release files, old ones with a slash.
_SUITE = pattern(rb"[A-Za-z0-9][A-Za-z0-9+.~_-]*(/[A-Za-z0-9][A-Za-z0-9+.~_-]*)*\Z")


# Policy 11.1: of a kernel's name and a processor's.
_ARCHITECTURE = pattern(rb"[a-z0-9]+(-[a-z0-9]+)*\Z")


class NotASuite(BadInput):
    """The error that a word cannot be the name of a suite."""

    name: str
    WHAT = "'{name}' is not the name of a suite"
    WHY = "it is a word of letters, digits, '-', '.', '_', '+', '~' and '/', as trixie or bookworm-backports"
    REMEDY = "denizen source list"


class NotAnArchitecture(BadInput):
    """The error that a word cannot be the name of an architecture."""

    name: str
    WHAT = "'{name}' is not the name of an architecture of Debian's"
    WHY = "it is a word of small letters and digits, as amd64 or arm64"


def targets_of(
    sources: Sequence[Source], suites: Sequence[str], architectures: Sequence[str], scope: Scope
) -> list[UpdateTarget]:
    """Return what to update: the named suites of every source that has them.

    Without names each source's own suites. Raises NotASuite, NotAnArchitecture.
    """
    from denizen.index.update_targets import UpdateTarget

    for suite in suites:
        if not _SUITE.match(suite.encode("utf-8", "surrogateescape")):
            raise NotASuite(suite)
    for architecture in architectures:
        if not _ARCHITECTURE.match(architecture.encode("utf-8", "surrogateescape")):
            raise NotAnArchitecture(architecture)
    return [
        UpdateTarget(source, suite, architecture, rank, scope)
        for rank, source, suite in _asked([(source, source.suites) for source in sources], suites)
        for architecture in architectures
    ]


def _asked(
    sources: Sequence[tuple[SourceT, Sequence[str]]], suites: Sequence[str]
) -> list[tuple[int, SourceT, str]]:
    """Return rank, source and suite of each index that is meant, of sources with their own suites."""
    pairs = [(source, suite) for source, listed in sources for suite in listed]
    offered = {suite for _, suite in pairs}
    # A suite that no source has by default is asked of the first: an archive has more suites than listed.
    extra = [(source, suite) for source, _ in sources[:1] for suite in suites if suite not in offered]
    return [
        (rank, source, suite)
        for rank, (source, suite) in enumerate([*pairs, *extra])
        if not suites or suite in suites
    ]


def ensure(
    session: Session, suites: Sequence[str], architecture: str, scope: Scope, policy: FetchPolicy
) -> dict[str, DenizenError]:
    """Make the indexes that are missing, and report it.

    Return the error of each suite that still has none, by name.

    Existing indexes are not updated. A suite that cannot be fetched is reported and left out.

    Raises:
        NotASuite, NotAnArchitecture: one of the words is no name.
        SourceFailed, HostLacks: none of the suites has an index.
    """
    from denizen.index.index_manifest import read_manifest

    held = read_manifest(session.paths.index)
    if _all_held(session, suites, architecture, scope, held):
        return {}
    from denizen.app.supply.configured_sources import configured_sources
    from denizen.app.supply.liblzma_setup import provide_decoder

    progress = session.reporter.transfers()
    targets = targets_of(configured_sources(session, policy, progress), suites, (architecture,), scope)
    missing = [target for target in targets if not _has(target, held)]
    if not missing:
        return {}
    _announce(session, missing, held)
    outcomes = run_update(session, missing, progress)
    made = read_manifest(session.paths.index)
    # The index may exist under another name of the suite.
    failed = [
        (one.target.suite, one.failure)
        for one in outcomes
        if one.failure is not None and not _has(one.target, made)
    ]
    if failed and len(failed) == len(targets):
        raise failed[0][1]
    for suite, failure in failed:
        session.reporter.say(f"going on without {suite}: {failure}")
    provide_decoder(session, policy)
    return dict(failed)


def _all_held(
    session: Session, suites: Sequence[str], architecture: str, scope: Scope, held: Sequence[IndexEntry]
) -> bool:
    """Tell whether no index is missing, without opening the sources: 4 ms of a `why` that takes 80."""
    from denizen.app.supply.provenance_cache import known_sources
    from denizen.index.update_targets import held_index

    if not held:
        return False
    for _, one, suite in _asked([(one, one.suites) for one in known_sources(session)], suites):
        believed = [entry for entry in held if entry.provenance == one.provenance]
        if not _suffices(held_index(believed, one.name, architecture, suite), scope):
            return False
    return True


def _has(target: UpdateTarget, held: Sequence[IndexEntry]) -> bool:
    return _suffices(target.held_in(filter(target.is_believed, held)), target.scope)


def _suffices(entry: IndexEntry | None, scope: Scope) -> bool:
    from denizen.sources.base import Scope

    return entry is not None and (scope is not Scope.PATHS or bool(entry.paths))


def _announce(session: Session, targets: Sequence[UpdateTarget], held: Sequence[IndexEntry]) -> None:
    """Say which indexes are made, and what is done about those that are there."""
    for sentence in (_ABSENT, _WITHOUT_PATHS, _DOUBTED):
        told = [target for target in targets if _sentence(target, held) is sentence]
        names = ", ".join(dict.fromkeys(target.suite for target in told))
        if told:
            session.reporter.say(sentence.format(names=names, architecture=told[0].architecture))


_ABSENT = "there is no index of {names} for {architecture} yet; making it"
_WITHOUT_PATHS = "the index of {names} for {architecture} has no paths yet; adding them"
_DOUBTED = (
    "the index of {names} for {architecture} is from an older denizen or another source; looking whose it is"
)


def _sentence(target: UpdateTarget, held: Sequence[IndexEntry]) -> str:
    entry = target.held_in(held)
    if entry is None:
        return _ABSENT
    return _WITHOUT_PATHS if target.is_believed(entry) else _DOUBTED


def run_update(
    session: Session, targets: Sequence[UpdateTarget], progress: Progress, *, force: bool = False
) -> list[UpdateOutcome]:
    """Update the indexes, and report the size of the transfers beforehand.

    Afterwards all records of libraries that running programs were denied are dropped: they may be available
    now. So are decisions that were made without an index.
    """
    from denizen.app.supply.liblzma_setup import use_decoder
    from denizen.index.index_manifest import library_files
    from denizen.index.update import update
    from denizen.launch.decisions.decision_store import forget_unindexed
    from denizen.launch.dlopen_record import forget_all_denied

    def planned(plans: Sequence[UpdatePlan]) -> None:
        from denizen.app.formatting import human_size

        size = sum(plan.size for plan in plans)
        if size:
            suites = ", ".join(dict.fromkeys(plan.snapshot.suite for plan in plans if plan.size))
            session.reporter.say(f"to fetch: {human_size(size)} for {suites}")

    use_decoder(session)
    before = library_files(session.paths.index)
    outcomes = update(session.paths.index, targets, progress, force=force, planned=planned)
    now = library_files(session.paths.index)
    renewed = {path: now[key] for key, path in before.items() if key in now}
    forget_all_denied(session.paths.decisions, renewed)
    forget_unindexed(session.paths.decisions)
    return outcomes
