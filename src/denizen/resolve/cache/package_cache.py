"""Packages whose libraries can be examined: facts from the cache; packages not yet in it are fetched."""

from __future__ import annotations

from denizen.disk import make_directories
from denizen.errors import BadInput
from denizen.formats.packages import Package
from denizen.resolve.resolution import pin_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    from denizen.index.provider import Provider
    from denizen.resolve.cache.package_facts import FactsCache, PackageFacts
    from denizen.resolve.resolution import Pin
else:
    Protocol = object

READERS = 2


class PackageCache(Protocol):
    """The access to the facts of packages."""

    def facts(self, providers: Sequence[Provider]) -> Mapping[bytes, PackageFacts | str]:
        """Return the facts of each package by .deb hash.

        A package that cannot be read has a sentence with the reason in their place.
        """


class Fetching(Protocol):
    """The part of a source that is needed here."""

    def fetch(self, packages: Sequence[Package], directory: bytes) -> list[bytes]:
        """Fetch packages into a directory; return the paths of the verified files."""


class FetchingPackageCache:
    """The package cache over sources and a facts cache on this machine."""

    def __init__(self, sources: Mapping[str, Fetching], packages: bytes, cache: FactsCache) -> None:
        """Use `sources` by name, `packages` as the directory to fetch into, and `cache` for the facts."""
        self._sources = sources
        self._packages = packages
        self._cache = cache
        self._faults: dict[bytes, str] = {}

    def facts(self, providers: Sequence[Provider]) -> Mapping[bytes, PackageFacts | str]:
        """Return the facts of packages, by .deb hash.

        Raises SourceFailed, HostLacks: one cannot be fetched.
        """
        found: dict[bytes, PackageFacts | str] = {}
        lacking: dict[str, dict[bytes, Provider]] = {}
        for provider in providers:
            known = self._faults.get(provider.sha256) or self._cache.get(provider.sha256)
            if known is not None:
                found[provider.sha256] = known
            else:
                lacking.setdefault(provider.source, {})[provider.sha256] = provider
        for source, wanted in sorted(lacking.items()):
            found |= self._fetched(self._sources[source], list(wanted.values()))
        return found

    def _fetched(self, source: Fetching, providers: list[Provider]) -> Mapping[bytes, PackageFacts | str]:
        make_directories(self._packages)
        paths = source.fetch([package_of(pin_of(provider, {})) for provider in providers], self._packages)
        from concurrent.futures import ThreadPoolExecutor

        # The largest first: if it began last, one thread would work on while the others have finished.
        ordered = sorted(zip(providers, paths, strict=True), key=lambda one: -one[0].size)
        # Decompression releases the interpreter's lock; more threads than READERS wait for one another.
        # Processes (denizen.process_pool) cost more than they save: each of four rounds would fork new ones.
        with ThreadPoolExecutor(READERS) as readers:
            learned = list(readers.map(lambda one: self._learned(*one), ordered))
        return {provider.sha256: one for (provider, _), one in zip(ordered, learned, strict=True)}

    def _learned(self, provider: Provider, path: bytes) -> PackageFacts | str:
        try:
            return self._cache.learn(provider.sha256, path)
        except BadInput as fault:
            return self._faults.setdefault(provider.sha256, str(fault))


def package_of(pin: Pin) -> Package:
    """Return the package that a pin names, in the form that its source takes."""
    return Package(
        name=pin.name,
        version=pin.version,
        architecture=pin.architecture,
        filename=pin.filename,
        size=pin.size,
        sha256=pin.sha256,
        installed_size=pin.installed_size,
    )
