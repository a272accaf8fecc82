"""Packages to look into: facts from the cache, and what is not there yet fetched in parallel."""

from __future__ import annotations

from denizen.disk import make_directories
from denizen.errors import BadInput
from denizen.formats.packages import Package
from denizen.resolve.resolution import pin_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    from denizen.index.entry import Provider
    from denizen.resolve.cache.package_facts import FactsCache, PackageFacts
    from denizen.resolve.resolution import Pin
else:
    Protocol = object

READERS = 2


class PackageCache(Protocol):
    """Where packages are looked into."""

    def facts(self, providers: Sequence[Provider]) -> Mapping[bytes, PackageFacts | str]:
        """By .deb hash, what each package holds; a sentence where it cannot be read."""


class Fetching(Protocol):
    """The part of a source that is needed here."""

    def fetch(self, packages: Sequence[Package], directory: bytes) -> list[bytes]:
        """Paths of the packages' verified files."""


class FetchingShelf:
    """A shelf over sources and a cache on this machine."""

    def __init__(self, sources: Mapping[str, Fetching], packages: bytes, cache: FactsCache) -> None:
        """Fetch into the directory `packages`."""
        self._sources = sources
        self._packages = packages
        self._cache = cache
        self._faults: dict[bytes, str] = {}

    def facts(self, providers: Sequence[Provider]) -> Mapping[bytes, PackageFacts | str]:
        """Look into packages. Raises SourceFailed, HostLacks: one cannot be fetched."""
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

        # The largest first: one that begins last would have a processor to itself.
        ordered = sorted(zip(providers, paths, strict=True), key=lambda one: -one[0].size)
        # Decompression lets go of the interpreter's lock; more threads than this wait for one another.
        # Processes (denizen.helpers) cost more than they save: each of four rounds would fork its own.
        with ThreadPoolExecutor(READERS) as readers:
            learned = list(readers.map(lambda one: self._learned(*one), ordered))
        return {provider.sha256: one for (provider, _), one in zip(ordered, learned, strict=True)}

    def _learned(self, provider: Provider, path: bytes) -> PackageFacts | str:
        try:
            return self._cache.learn(provider.sha256, path)
        except BadInput as fault:
            return self._faults.setdefault(provider.sha256, str(fault))


def package_of(pin: Pin) -> Package:
    """The package a pin names, as its source knows it."""
    return Package(
        name=pin.name,
        version=pin.version,
        architecture=pin.architecture,
        filename=pin.filename,
        size=pin.size,
        sha256=pin.sha256,
        installed_size=pin.installed_size,
    )
