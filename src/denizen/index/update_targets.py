"""Values of an update: its targets, the plan for each, the outcome; and the arithmetic of entries."""

from __future__ import annotations

from denizen.sources.base import Held, Scope
from denizen.value import replace, value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from denizen.errors import DenizenError
    from denizen.index.manifest import IndexEntry
    from denizen.sources.base import Snapshot, Source


@value
class UpdateTarget:
    """One index to bring up to date.

    Attributes:
        rank: its place in the order of preference; the base suite is 0.
        scope: what it must know at least; what it knows already is kept up to date too.
    """

    source: Source
    suite: str
    architecture: str
    rank: int
    scope: Scope

    def held_in(self, entries: Iterable[IndexEntry]) -> IndexEntry | None:
        """The index there is of it."""
        return next((entry for entry in entries if self._is_of(entry)), None)

    def _is_of(self, entry: IndexEntry) -> bool:
        place = (entry.source, entry.architecture)
        return place == (self.source.name, self.architecture) and entry.is_called(self.suite)


@value
class UpdateOutcome:
    """What became of one target.

    Attributes:
        entry: the index now in force for it, None if there is none.
        changed: it is a new one.
        added, removed, altered: packages against the index before, when there was one.
        failure: why there is no newer one.
        notes: what the source wants known.
    """

    target: UpdateTarget
    entry: IndexEntry | None
    changed: bool = False
    added: int = 0
    removed: int = 0
    altered: int = 0
    failure: DenizenError | None = None
    notes: tuple[str, ...] = ()


@value
class UpdatePlan:
    """What an update will do for one target.

    Attributes:
        held: the index in force for the suite the target turned out to be.
        scope: what the new index will know; None when the one in force, or the one that an earlier plan
            makes, is already of this snapshot.
        size: bytes to fetch.
    """

    target: UpdateTarget
    snapshot: Snapshot
    held: IndexEntry | None
    scope: Scope | None
    size: int

    @property
    def key(self) -> tuple[str, str, str]:
        """What there is one index of, as in `IndexEntry`: "stable" and "trixie" are one."""
        return self.snapshot.source, self.snapshot.suite, self.target.architecture


def memory(held: IndexEntry | None) -> Held | None:
    """Return what a source is told of the index in force."""
    return Held(held.identity, held.date) if held is not None else None


def after(plan: UpdatePlan, earlier: Sequence[UpdatePlan]) -> UpdatePlan:
    """The same where others are carried out first: nothing is built twice."""
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
    """The entries with a new one; what its target's name meant before keeps its other names, if any."""
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
    """Return the names an index is asked for by, and its place among the suites."""
    if held is None or held.asked in ((), (target.suite,)):
        return (target.suite,), target.rank
    return tuple(dict.fromkeys([*held.asked, target.suite])), min(held.rank, target.rank)
