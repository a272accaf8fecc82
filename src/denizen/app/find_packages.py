"""The search of `denizen find`: which suites are asked for a soname, a command or a path, in which order."""

from __future__ import annotations

import os

from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.session import Session
    from denizen.errors import DenizenError
    from denizen.index.index_manifest import IndexEntry
    from denizen.index.locate import Index
    from denizen.index.provider import PathProvider, Provider


class PackageAnswer(Value):
    """The packages that have a name.

    Attributes:
        question: the name.
        searched: the indexes that were searched.
        is_library: it was looked for as a soname, among `libraries`; else among `places`.
        near: sonames that resemble one that nobody provides.
    """

    question: bytes
    searched: tuple[IndexEntry, ...]
    is_library: bool
    libraries: Sequence[Provider] = ()
    places: Sequence[PathProvider] = ()
    near: Sequence[bytes] = ()


class PackageSearch:
    """The search for several names.

    Attributes:
        failures: the error of each suite that could not be searched, by name.
    """

    def __init__(
        self, session: Session, architecture: str, suites: tuple[str, ...], *, offline: bool
    ) -> None:
        self.failures: dict[str, DenizenError] = {}
        self._session = session
        self._architecture = architecture
        self._suites = suites
        self._offline = offline

    def answer(self, name: str) -> PackageAnswer:
        """Return the packages that have the name, the best first. Raises HostLacks, StoreDamaged."""
        from denizen.index.library_paths import is_library_name
        from denizen.index.path_glob import is_glob

        question = os.fsencode(name)
        if b"/" not in question and is_library_name(question) and not is_glob(question):
            return self._libraries(question)
        return self._places(question)

    def _libraries(self, soname: bytes) -> PackageAnswer:
        """Search the existing indexes.

        If no searched directory has the soname, index further suites and search them.
        """
        index = self._open()
        found = index.providers(soname)
        # The sources' settings are read only where an answer is missing: 1 ms.
        more = [] if _is_answered(found) else self._without_index(index)
        for suite in more:
            index = self._made((suite,), paths=False)
            found = index.providers(soname)
            if _is_answered(found):
                break
        near = () if found else tuple(index.near(soname))
        return PackageAnswer(soname, tuple(index.entries), is_library=True, libraries=found, near=near)

    def _places(self, question: bytes) -> PackageAnswer:
        """Search for paths in the base suite, or in the named suites: each costs 40 MB to fetch."""
        index = self._open()
        indexed = [entry for entry in index.entries if entry.paths]
        wanted = tuple([one for one in self._suites if not any(entry.is_called(one) for entry in indexed)])
        if not self._suites and not indexed:
            from denizen.app.supply.base_suite import base_suites

            wanted = base_suites(self._session)
        if wanted:
            index = self._made(wanted, paths=True)
        searched = tuple([entry for entry in index.entries if entry.paths])
        return PackageAnswer(question, searched, is_library=False, places=_places_in(index, question))

    def _without_index(self, index: Index) -> list[str]:
        from denizen.app.supply.provenance_cache import known_suites

        known = {name for entry in index.entries for name in (*entry.asked, entry.suite)} | set(self.failures)
        return [suite for suite in self._suites or known_suites(self._session) if suite not in known]

    def _made(self, wanted: tuple[str, ...], *, paths: bool) -> Index:
        """Return the index after the attempt to index the wanted suites."""
        from denizen.app.supply.ensure_index import ensure
        from denizen.errors import SourceFailed
        from denizen.sources.base import Scope
        from denizen.sources.fetch_policy import FetchPolicy

        scope = Scope.PATHS if paths else Scope.LIBRARIES
        policy = FetchPolicy(offline=self._offline)
        try:
            self.failures |= ensure(self._session, wanted, self._architecture, scope, policy)
        except SourceFailed as failure:
            self.failures |= dict.fromkeys(wanted, failure)
        return self._open()

    def _open(self) -> Index:
        from denizen.app.supply.open_index import open_index

        return open_index(self._session, self._architecture, self._suites)


def _is_answered(found: Sequence[Provider]) -> bool:
    """Return whether the best provider is in a directory that the dynamic linker searches."""
    return bool(found) and found[0].kind.is_searched


def _places_in(index: Index, question: bytes) -> list[PathProvider]:
    from denizen.index.path_glob import is_glob

    if b"/" in question:
        return index.paths(question, glob=is_glob(question))
    if is_glob(question):
        return index.files(question)
    return index.commands(question) or index.files(question)
