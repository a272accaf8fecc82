"""OfferedSnapshots, the states of a suite that an archive's mirrors offer, and under which names of it.

The mirrors of an archive in mid-update differ, and one mirror's two names of a suite may (dists/stable,
dists/trixie). A mirror that is of another archive is not asked again. Whether a Release is believed is
decided in `releases`.
"""

from __future__ import annotations

import contextlib
import itertools

from denizen.formats.release import BadRelease
from denizen.sources.base import Snapshot
from denizen.sources.errors import BadSignature, Downgrade, DownloadFailed, Expired, NoSuchSuite
from denizen.sources.releases import FutureRelease, WrongOrigin, shown_date

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.errors import DenizenError
    from denizen.formats.release import Release
    from denizen.sources.base import SnapshotIdentity
    from denizen.sources.fetcher import Fetcher
    from denizen.sources.releases import Archive, Releases, VerifiedRelease

# Errors of a mirror's Release after which the next mirror is asked.
_PASSED_OVER = (
    DownloadFailed, NoSuchSuite, BadSignature, BadRelease, WrongOrigin, FutureRelease, Expired, Downgrade,
)  # fmt: skip


class OfferedSnapshots:
    """The states of suites that the mirrors of one archive offer, each with its verified Release."""

    def __init__(self, archive: Archive, fetcher: Fetcher, releases: Releases) -> None:
        self._archive = archive
        self._fetcher = fetcher
        self._asked = releases
        # By identity: the names below dists/ that gave the Release, and the Release.
        self._releases: dict[str, tuple[tuple[str, ...], Release]] = {}
        self._states: list[Snapshot] = []
        self._doubted: set[str] = set()  # suites of which a state was incomplete
        # By address: why it is of another archive than the configured one.
        self._strangers: dict[str, DenizenError] = {}
        self._useful: tuple[str, ...] = ()

    def snapshot(self, suite: str, held: SnapshotIdentity | None) -> Snapshot:
        """Return the first mirror's Release that passes all checks."""
        failures: list[DenizenError] = []
        for snapshot in self._each_offered(suite, held, failures, anew=False):
            return snapshot
        raise self._failure(suite, failures)

    def anew(self, suite: str, held: SnapshotIdentity | None) -> Sequence[Snapshot]:
        """Return every state of a suite that some mirror offers or has offered before, the newest first.

        The mirrors are asked under both names of the suite, past the caches on the way.
        """
        self._doubted.add(suite)
        failures: list[DenizenError] = []
        for _ in self._each_offered(suite, held, failures, anew=True):
            pass  # each is added to self._states
        self._ask_by_other_names(suite, held)
        believed = [one for one in self._states if one.asked == suite]
        if not believed:
            raise self._failure(suite, failures)
        # Only after that check: an earlier state does not help where every state offered now is refused.
        kept = [self._asked.earlier(mirror, suite, held) for mirror in self._addresses_to_ask()]
        believed += [self._state(suite, one) for one in kept if one is not None]
        states = sorted({one.identity: one for one in believed}.values(), key=lambda one: -one.date)
        if held is not None and states[0].date < held.date:
            raise Downgrade(suite, shown_date(states[0].date), shown_date(held.date))
        return [one for one in states if held is None or one.date >= held.date]

    def release_of(self, snapshot: Snapshot) -> Release:
        """Return the Release of a state that was offered."""
        return self._releases[snapshot.identity][1]

    def names_of(self, snapshot: Snapshot) -> tuple[str, ...]:
        """Return the names below dists/ under which a state was offered."""
        return self._releases[snapshot.identity][0]

    def is_doubted(self, suite: str) -> bool:
        """Return whether states of a suite were asked for anew, as one was incomplete."""
        return suite in self._doubted

    def mirrors(self) -> tuple[str, ...]:
        """Return the addresses to fetch from: those known to be of this archive, else all.

        This only avoids useless requests: every fetched file is verified by its hash.
        """
        if not self._useful:
            every = (*self._fetcher.mirrors, *self._archive.fallback)
            suites = self._archive.suites
            known = [one for one in every if any(self._asked.has_kept(one, suite) for suite in suites)]
            self._useful = tuple(known) or self._fetcher.mirrors
        return self._useful

    def _failure(self, suite: str, failures: Sequence[DenizenError]) -> DenizenError:
        """Return the first mirror's failure; that of an earlier attempt where it was not asked again."""
        nobody = NoSuchSuite(self._archive.name, suite, "the source has no address")
        return next(iter([*failures, *self._strangers.values()]), nobody)

    def _each_offered(
        self, suite: str, held: SnapshotIdentity | None, failures: list[DenizenError], *, anew: bool
    ) -> Iterator[Snapshot]:
        """Yield the state that each mirror offers; errors of mirrors are added to `failures`."""
        for mirror in self._addresses_to_ask():
            try:
                yield self._snapshot_of(mirror, suite, held, anew=anew)
            except _PASSED_OVER as error:
                failures.append(error)
                self._judge(mirror, error)

    def _ask_by_other_names(self, suite: str, held: SnapshotIdentity | None) -> None:
        """Add the states that the mirrors have under a suite's other name: dists/stable for dists/trixie.

        As a rule a cache stands before a mirror, and may have kept a 404 or a former file under one of the
        names only. Where the two names are of different releases, nothing is added.
        """
        pairs = {_suite_and_codename(release) for given, release in self._releases.values() if suite in given}
        others = [(pair, other) for pair in pairs for other in sorted({*pair} - {suite})]
        for (pair, other), mirror in itertools.product(others, [*self._addresses_to_ask()]):
            with contextlib.suppress(*_PASSED_OVER):
                believed = self._asked.of(mirror, other, held, anew=True)
                if _suite_and_codename(believed.release) == pair:
                    self._state(suite, believed, given_by=other)

    def _addresses_to_ask(self) -> Iterator[str]:
        """Yield the configured addresses; the fallback too where all of those are of some other archive."""
        yield from [mirror for mirror in self._fetcher.mirrors if mirror not in self._strangers]
        if self._strangers.keys() >= {*self._fetcher.mirrors}:
            yield from self._archive.fallback

    def _judge(self, mirror: str, error: DenizenError) -> None:
        if self._archive.origin and isinstance(error, (BadSignature, WrongOrigin)):
            if mirror not in self._strangers:
                self._fetcher.note(f"{error}")
            self._strangers[mirror] = error

    def _snapshot_of(self, mirror: str, suite: str, held: SnapshotIdentity | None, *, anew: bool) -> Snapshot:
        return self._state(suite, self._asked.of(mirror, suite, held, anew=anew))

    def _state(self, suite: str, believed: VerifiedRelease, *, given_by: str = "") -> Snapshot:
        """Return the state of a suite; its Release came by that name, or by `given_by`."""
        release = believed.release
        given, _ = self._releases.get(believed.identity, ((), release))
        self._releases[believed.identity] = (tuple(dict.fromkeys((*given, given_by or suite))), release)
        self._useful = ()
        snapshot = Snapshot(
            self._archive.name, suite, release.codename, believed.identity, release.date, believed.notes
        )
        if snapshot not in self._states:
            self._states.append(snapshot)
        return snapshot


def _suite_and_codename(release: Release) -> tuple[str, str]:
    return release.suite, release.codename
