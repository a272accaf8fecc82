"""`search`: packages of the base suite by words."""

from __future__ import annotations

import os

from denizen.errors import HostLacks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.app.session import Session
    from denizen.index.locate import Index
    from denizen.index.package_search import FoundPackage
    from denizen.sources.fetch_policy import FetchPolicy


class NoSummaries(HostLacks):
    """The error that an index was made before it had the packages' descriptions."""

    suite: str
    WHAT = "the index of {suite} has no descriptions"
    WHY = "it was made by an older denizen"
    REMEDY = "denizen index update --force"


def search_packages(
    session: Session, words: Sequence[str], suites: tuple[str, ...], policy: FetchPolicy
) -> list[FoundPackage]:
    """Return the packages that have all words in name or description, the best first.

    Raises NoSummaries, SourceFailed.
    """
    from denizen.app.environments.fhs_create import catalogues_of
    from denizen.app.supply.own_architecture import own_architecture
    from denizen.fhs.generations import Settings
    from denizen.index.package_search import matching

    architecture = own_architecture()
    index = catalogues_of(session, Settings((), suites, (architecture,)), policy)[architecture]
    raw = [os.fsencode(word) for word in words]
    holders = {place.package for place in index.commands(raw[0])} if len(raw) == 1 else set()
    return matching(_rows(index, holders), raw)


def _rows(index: Index, holders: set[bytes]) -> Iterator[FoundPackage]:
    from denizen.index.package_search import FoundPackage

    seen: set[bytes] = set()
    for entry in index.entries:
        libraries = index.libraries_of(entry)
        if not libraries.has_summaries:
            raise NoSummaries(entry.suite)
        here: dict[bytes, FoundPackage] = {}
        for name, line, summary in libraries.summaries():
            if name not in seen:  # of several versions the last, which is the newest
                columns = line.split(b"\t")
                here[name] = FoundPackage(
                    name, columns[1], entry.suite, columns[7], int(columns[12]), summary, name in holders
                )
        seen |= here.keys()
        yield from here.values()
