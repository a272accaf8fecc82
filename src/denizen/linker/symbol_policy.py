"""Which objects' symbols are worth looking up: `unvouched_objects` (pure).

A library that the cache or a default directory provided, or that lies where only the distribution's packages
put anything (hier(7), FHS 4.6: /usr/lib/PACKAGE, found by a run path), and that stands on nothing but such
libraries, is what its distribution built and tested together. What remains is the program, what was found
any other way, and every system library that was given one of those for its own needs.
"""

from __future__ import annotations

from posixpath import normpath

from denizen.linker.rule_tables import PROGRAM, SYSTEM_RULES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from denizen.linker.closure import Closure, LoadedLibrary


# /usr/local/lib is the administrator's own.
_DISTRIBUTION = (b"/usr/lib/", b"/usr/lib32/", b"/usr/lib64/", b"/usr/libx32/")


def by_system(library: LoadedLibrary) -> bool:
    """Whether the cache or a default directory provided it, or it lies in the distribution's own place."""
    if library.rule is PROGRAM or library.path is None:
        return False
    return library.rule in SYSTEM_RULES or normpath(library.path).startswith(_DISTRIBUTION)


def unvouched_objects(
    closure: Closure, vouched: Callable[[LoadedLibrary], bool] = by_system
) -> tuple[LoadedLibrary, ...]:
    """The objects of a closure whose symbols the system's own packages do not vouch for."""
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
    """Id of a library -> the objects that need it by one of its names."""
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
