"""The meaning of a name that the user gives by `--with`: a soname, or a package with its libraries.

Pure but for the package cache.
"""

from __future__ import annotations

from denizen import elf
from denizen.errors import BadInput
from denizen.index.library_paths import is_library_name, kind_of
from denizen.resolve.engine.attempt import SonameRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.fileview import FileView
    from denizen.index.provider import Provider
    from denizen.resolve.cache.package_facts import PackageFacts
    from denizen.resolve.engine.catalogue import Sources

WISH = "asked for"


def opened(name: bytes, base: str, sources: Sources) -> list[SonameRequest]:
    """Return the sonames for a name: the soname itself, or the libraries of the package of that name.

    The libraries of a package are those in directories that every program searches; if it has none there,
    all. A name that is neither is returned as a soname, which then has no provider.
    """
    if not sources.catalogue.knows(name) and (package := _package(name, base, sources)) is not None:
        facts = sources.package_cache.facts([package])[package.sha256]
        if not isinstance(facts, str):
            sonames = list(_sonames(facts, package, sources.disk))
            return [SonameRequest(soname, b"", package.sha256, WISH) for soname in sonames]
    return [SonameRequest(name, b"", b"", WISH)]


def _package(name: bytes, base: str, sources: Sources) -> Provider | None:
    """Return the package of that name, preferably the base suite's; None for none."""
    offered = sources.catalogue.packages(name)
    return next((one for one in offered if one.suite == base), offered[0] if offered else None)


def _sonames(facts: PackageFacts, package: Provider, disk: FileView) -> Iterator[bytes]:
    paths = [path for path in sorted(facts.skeletons) if is_library_name(path.rpartition(b"/")[2])]
    searched = [p for p in paths if kind_of(p.rpartition(b"/")[0], package.architecture).is_searched]
    for path in searched or paths:
        try:
            dynamic = elf.read(disk.read(facts.skeletons[path])).dynamic
        except (BadInput, OSError):
            continue
        yield (dynamic.soname if dynamic else None) or path.rpartition(b"/")[2]


__all__ = ["opened"]
