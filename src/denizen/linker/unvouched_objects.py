"""The objects whose symbols must be looked up: `unvouched_objects` (pure).

Libraries of the distribution were built and tested together, so their symbols need no lookup. These are the
libraries that were found by the cache or in a default directory, or that lie where only the distribution's
packages install (hier(7), FHS 4.6: /usr/lib/PACKAGE, found by a run path), and that depend on such libraries
only. The others are the program, libraries found any other way, and every system library that depends on
one of these.
"""

from __future__ import annotations

from posixpath import normpath

from denizen.linker.rule_tables import PROGRAM, SYSTEM_RULES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from denizen.linker.closure import Closure, LoadedLibrary


# Not /usr/local/lib, where the administrator installs.
_DISTRIBUTION = (b"/usr/lib/", b"/usr/lib32/", b"/usr/lib64/", b"/usr/libx32/")


def by_system(library: LoadedLibrary) -> bool:
    """Return whether a rule of the system found the library, or it lies in a distribution's directory."""
    if library.rule is PROGRAM or library.path is None:
        return False
    return library.rule in SYSTEM_RULES or normpath(library.path).startswith(_DISTRIBUTION)


def unvouched_objects(
    closure: Closure, vouched: Callable[[LoadedLibrary], bool] = by_system
) -> tuple[LoadedLibrary, ...]:
    """Return the closure's objects for whose symbols the distribution does not vouch.

    `vouched` tells whether a library is the system's own.
    """
    found = {id(library): library for library in closure.scope if not vouched(library)}
    askers = _askers(closure)
    pending = list(found.values())
    while pending:
        for library in askers.get(id(pending.pop()), ()):
            if id(library) not in found:
                found[id(library)] = library
                pending.append(library)
    return tuple(found.values())


def _askers(closure: Closure) -> dict[int, list[LoadedLibrary]]:
    """Return, by the id of a library, the objects that need it by one of its names."""
    named: dict[bytes, LoadedLibrary] = {}
    for library in (closure.program, *closure.libraries):
        for name in library.names:
            named.setdefault(name, library)
    askers: dict[int, list[LoadedLibrary]] = {}
    for library in closure.scope:
        for name in library.needed:
            if (provider := named.get(name)) is not None:
                askers.setdefault(id(provider), []).append(library)
    return askers
