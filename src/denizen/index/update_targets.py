"""Values of an update: its targets, the plan for each, the outcome; and changes of the manifest's entries."""

from __future__ import annotations

from denizen.sources.base import Scope, SnapshotIdentity
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from denizen.errors import DenizenError
    from denizen.index.index_manifest import IndexEntry
    from denizen.sources.base import Snapshot, Source


class UpdateTarget(Value):
    """One index to bring up to date.

    Attributes:
        source: the source of the suite.
        suite: the name by which the suite is asked for.
        architecture: Debian's name.
        rank: its place in the order of preference; the base suite is 0.
        scope: the least that it must contain; what it already contains is updated too.
    """

    source: Source
    suite: str
    architecture: str
    rank: int
    scope: Scope

    def held_in(self, entries: Iterable[IndexEntry]) -> IndexEntry | None:
        """Return the existing index of the target; None for none."""
        return held_index(entries, self.source.name, self.architecture, self.suite)

    def is_believed(self, entry: IndexEntry) -> bool:
        """Tell whether an index was made from the packages that the source now means."""
        return entry.provenance == self.source.provenance

    def memory(self, held: IndexEntry | None) -> SnapshotIdentity | None:
        """Return the facts about the current index that the source needs; None where it is another's."""
        believed = held is not None and self.is_believed(held)
        return SnapshotIdentity(held.identity, held.date) if held is not None and believed else None


class UpdateOutcome(Value):
    """The outcome for one target.

    Attributes:
        entry: the index that is now current, None if there is none.
        changed: it is a new one.
        added, removed, altered: numbers of packages compared with the index before, if there was one.
        failure: the reason why there is no newer one.
        notes: messages of the source.
    """

    target: UpdateTarget
    entry: IndexEntry | None
    changed: bool = False
    added: int = 0
    removed: int = 0
    altered: int = 0
    failure: DenizenError | None = None
    notes: tuple[str, ...] = ()


class UpdatePlan(Value):
    """The plan for one target.

    Attributes:
        held: the current index of the suite that the target turned out to be.
        scope: the content of the new index; None if the current index, or that of an earlier plan, is of this
            snapshot already.
        size: bytes to fetch.
    """

    target: UpdateTarget
    snapshot: Snapshot
    held: IndexEntry | None
    scope: Scope | None
    size: int

    @property
    def key(self) -> tuple[str, str, str]:
        """Source, suite and architecture, as in `IndexEntry`: "stable" and "trixie" have the same."""
        return self.snapshot.source, self.snapshot.suite, self.target.architecture


def held_index(
    entries: Iterable[IndexEntry], source: str, architecture: str, suite: str
) -> IndexEntry | None:
    """Return the index of a source's suite for an architecture; None for none."""
    place = (source, architecture)
    return next(
        (one for one in entries if (one.source, one.architecture) == place and one.is_called(suite)), None
    )


def after(plan: UpdatePlan, earlier: Sequence[UpdatePlan]) -> UpdatePlan:
    """Return the plan without work that `earlier` plans do, so that nothing is built twice."""
    made = [
        one.scope
        for one in earlier
        if one.key == plan.key and one.snapshot.identity == plan.snapshot.identity
    ]
    if plan.scope is not None and any(scope is not None and scope >= plan.scope for scope in made):
        return replace(plan, scope=None, size=0)
    return plan


def with_entry(
    entries: Mapping[tuple[str, str, str], IndexEntry], new: IndexEntry, target: UpdateTarget
) -> dict[tuple[str, str, str], IndexEntry]:
    """Return the entries with a new one; an entry that loses its only name to it is dropped."""
    kept = {}
    for key, entry in entries.items():
        names = tuple([name for name in entry.asked if name != target.suite])
        same_place = (entry.source, entry.architecture) == (new.source, new.architecture)
        if key == new.key or not same_place or names == entry.asked:
            kept[key] = entry
        elif names:
            kept[key] = replace(entry, asked=names)
    return kept | {new.key: new}


def names_and_rank(target: UpdateTarget, held: IndexEntry | None) -> tuple[tuple[str, ...], int]:
    """Return the names by which an index is asked for, and its place among the suites."""
    if held is None or held.asked in ((), (target.suite,)):
        return (target.suite,), target.rank
    return tuple(dict.fromkeys([*held.asked, target.suite])), min(held.rank, target.rank)
