"""Resolutions of one program: kept ones where nothing changed, else found anew."""

from __future__ import annotations

import os

import denizen
from denizen.disk import DiskView
from denizen.resolve.cache.resolution_cache import Question, code_stamps, keep, recalled, stamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.session import Session
    from denizen.index.locate import Index
    from denizen.linker import Environment
    from denizen.resolve.cache.package_cache import FetchingShelf
    from denizen.resolve.cache.trace import Witness
    from denizen.resolve.engine.catalogue import Sources
    from denizen.resolve.resolution import Resolution
    from denizen.sources.fetcher import FetchPolicy

# What decides about a resolution; b"" is the package itself.
_CODE = (b"", b"elf", b"index", b"linker", b"resolve")


class Answers:
    """What is chosen for a program by one index after another; it is looked at only where it must be."""

    def __init__(
        self,
        session: Session,
        policy: FetchPolicy,
        roots: Sequence[bytes],
        added: Sequence[bytes],
        names: Sequence[bytes],
        *,
        given: Sequence[bytes] = (),
        host: Environment | None = None,
    ) -> None:
        """Of objects at `roots`, with paths and names that are asked for besides, by an LD_LIBRARY_PATH."""
        self._session = session
        self._policy = policy
        self._asked = tuple(roots), tuple(added), tuple(sorted(set(names)))
        self._given = tuple(given)
        self._host = host
        self._resolver: _Resolver | None = None

    def by(self, index: Index, suites: tuple[str, ...]) -> Resolution:
        """By the index of some suites. Raises OSError, BadInput, SourceFailed, HostLacks."""
        directory = self._session.paths.cache + b"/resolutions"
        circumstances = _circumstances(index, self._asked[0], self._host)
        question = Question(*self._asked, suites, circumstances, self._given)
        known = recalled(directory, question, DiskView()) if circumstances else None
        if known is not None:
            return known
        if self._resolver is None:
            shelf = _shelf(self._session, self._policy)
            self._resolver = _Resolver(*self._asked, self._given, shelf, host=self._host)
        made = self._resolver.by(index)
        if circumstances:
            keep(directory, question, made, self._resolver.witness)
        return made


class _Resolver:
    """Resolves, noting all it asks of the file tree."""

    def __init__(
        self,
        roots: Sequence[bytes],
        added: Sequence[bytes],
        names: Sequence[bytes],
        given: Sequence[bytes],
        shelf: FetchingShelf,
        *,
        host: Environment | None,
    ) -> None:
        from denizen.resolve.cache.cached_view import Remembered
        from denizen.resolve.cache.trace import Witness
        from denizen.resolve.rule_packs import load_rules
        from denizen.resolve.subject import examine

        self.witness: Witness = Witness(DiskView())
        self._names = names
        self._rules = load_rules()
        self._subject = examine(self.witness, roots, self._rules, added, given, host=host)
        self._disk = Remembered(DiskView())
        self._shelf = shelf

    def by(self, index: Index) -> Resolution:
        from denizen.resolve.engine.catalogue import Sources
        from denizen.resolve.engine.search import resolve

        snapshots = {entry.suite: entry.identity for entry in index.entries}
        sources = Sources(index, self._shelf, self._rules, self._disk, snapshots)
        return resolve(self._subject, sources, self._names)


def _circumstances(index: Index, roots: Sequence[bytes], host: Environment | None) -> tuple[str, ...]:
    """What else a resolution depends on: denizen itself, the indexes, and where relative paths start.

    () where that cannot be told, as of a denizen that lies in an archive: then nothing is kept.
    """
    here = os.path.dirname(os.fsencode(denizen.__file__))
    start = "" if all(root.startswith(b"/") for root in roots) else os.getcwd()
    try:
        code = code_stamps([os.path.join(here, part) for part in _CODE])
        files = [(one.source, one.suite, one.identity, stamp(index.place_of(one))) for one in index.entries]
    except OSError:
        return ()
    world = f"host {host.cpu} {host.library_path!r}" if host is not None else ""
    return code, start, world, *[" ".join(parts) for parts in files]


def sources_for(session: Session, policy: FetchPolicy, index: Index) -> Sources:
    """Return what a single answer is made from, without anything that would be kept."""
    from denizen.resolve.cache.cached_view import Remembered
    from denizen.resolve.engine.catalogue import Sources
    from denizen.resolve.rule_packs import load_rules

    snapshots = {entry.suite: entry.identity for entry in index.entries}
    return Sources(index, _shelf(session, policy), load_rules(), Remembered(DiskView()), snapshots)


def _shelf(session: Session, policy: FetchPolicy) -> FetchingShelf:
    from denizen.app.configured_sources import sources_by_name
    from denizen.app.decoder_setup import use_decoder
    from denizen.resolve.cache.package_cache import FetchingShelf
    from denizen.resolve.cache.package_facts import FactsCache

    use_decoder(session)
    place = session.paths
    facts = FactsCache(place.cache + b"/facts")
    return FetchingShelf(sources_by_name(session, policy), place.packages, facts)
