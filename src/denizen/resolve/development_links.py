"""The library that a name without a version stands for (pure over a catalogue).

`dlopen("libGL.so")` finds a link that only packages for developers have. A package does not say where its
link leads, but it depends on the package of the library, of exactly its own version: libgl-dev on libgl1,
which has libGL.so.1. The name of the library begins with that of the link, or with its stem (libSDL2.so,
libSDL2-2.0.so.0).
"""

from __future__ import annotations

from denizen.formats.packages import relation_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Protocol

    from denizen.index.provider import Provider
    from denizen.resolve.engine.catalogue import ProviderCatalogue

    class NamesCatalogue(ProviderCatalogue, Protocol):
        """A catalogue that also tells which names begin alike."""

        def starting(self, prefix: bytes) -> Iterable[bytes]:
            """Return the sonames that begin so; the same one may be there several times."""


_SUFFIX = b".so"
# tcl-dev depends on tcl8.6-dev, and that on libtcl8.6.
_MAX_STEPS = 3


def library_meant(name: bytes, there: Iterable[bytes], catalogue: NamesCatalogue) -> bytes:
    """Return the soname of the library that `name` leads to; b"" if `name` is no link for developers.

    A library that the process has already (`there` are the names of those) is taken before all others.
    """
    if not name.endswith(_SUFFIX):
        return b""
    loaded = sorted((one for one in there if one.startswith(name + b".")), key=len)
    if loaded:
        return loaded[0]
    offered = catalogue.providers(name)
    found = [one for one in offered if one.kind.is_searched] or offered
    if not found or not _is_for_developers(found[0]):
        return b""
    return next((soname for one in found for soname in _candidates(one, name, catalogue)), b"")


def _is_for_developers(provider: Provider) -> bool:
    return provider.package.endswith(b"-dev") or provider.section.rpartition(b"/")[2] == b"libdevel"


def _candidates(link: Provider, name: bytes, catalogue: NamesCatalogue) -> Iterator[bytes]:
    """Yield the sonames that the link of one package may lead to, the likeliest first."""
    holders = set(_libraries_of(link, catalogue))
    whole = _shortest(catalogue.starting(name + b"."))
    alike = _shortest(catalogue.starting(name.removesuffix(_SUFFIX)))
    for soname in (*whole, *(one for one in alike if _SUFFIX + b"." in one)):
        if any(one.package in holders and one.kind.is_searched for one in catalogue.providers(soname)):
            yield soname
    yield from whole


def _shortest(names: Iterable[bytes]) -> list[bytes]:
    """Return the names, those that are no file names of others (libz.so.1.3.1) first."""
    return sorted(dict.fromkeys(names), key=len)


def _libraries_of(link: Provider, catalogue: NamesCatalogue) -> Iterator[bytes]:
    """Yield the packages of the same version on which a package for developers depends."""
    packages = [link]
    for _ in range(_MAX_STEPS):
        exact = [name for one in packages for name in _exact(one.depends)]
        yield from exact
        further = (name for one in packages for name in relation_names(one.depends) if name.endswith(b"-dev"))
        packages = [one for name in further for one in catalogue.packages(name)[:1] if _goes_with(one, link)]


def _exact(depends: bytes) -> Iterator[bytes]:
    for relation in depends.split(b","):
        if b"(= " in relation:
            yield from relation_names(relation)


def _goes_with(package: Provider, link: Provider) -> bool:
    """Tell whether a package is of the link's source, or the link's package is only a name for its."""
    same = (package.source_package or package.package) == (link.source_package or link.package)
    return same or link.depends.count(b",") < _MAX_STEPS
