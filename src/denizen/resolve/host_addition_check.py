"""Check of a resolution that extends the host's own libraries with packages (pure).

A program that starts on this host keeps the host's libraries, with which all that it opened so far works;
only missing ones are added. Where that cannot be done (a library needs a newer glibc than the host has), the
alternative is a full set of libraries from packages, if no library that works here is lost by it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from denizen.resolve.resolution import Resolution


def is_sound(made: Resolution) -> bool:
    """Return whether a program starts with the resolution."""
    return not any(problem.kind.stops_start for problem in made.problems)


def still_lacking(made: Resolution, lacking: Collection[bytes]) -> frozenset[bytes]:
    """Return the names in `lacking` that the resolution does not have."""
    return frozenset(lacking) - {choice.soname for choice in made.choices}


def brings(made: Resolution, lacking: Collection[bytes]) -> bool:
    """Return whether the resolution is sound and has all names in `lacking`."""
    return is_sound(made) and not still_lacking(made, lacking)


def loses(made: Resolution, lacking: Collection[bytes]) -> bool:
    """Return whether the resolution leaves out a name that the host has, one not in `lacking`."""
    return not {one.soname for one in made.left_out}.issubset(lacking)
