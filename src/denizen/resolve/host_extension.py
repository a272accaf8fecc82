"""Whether a host's own world, extended by packages, is what a program needs (pure).

A program that starts on this host keeps its libraries, which everything it opened so far goes well with; only
what they lack is added. Where that cannot be (a library asks for a newer glibc than the host has) another
world, with nothing of the host's, is the alternative, if nothing that works here is lost by it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from denizen.resolve.resolution import Resolution


def is_sound(made: Resolution) -> bool:
    """Return whether a program starts with it."""
    return not any(problem.lack.stops_start for problem in made.problems)


def still_lacking(made: Resolution, lacking: Collection[bytes]) -> frozenset[bytes]:
    """Return which of the names that the host lacks it does not have."""
    return frozenset(lacking) - {choice.soname for choice in made.choices}


def brings(made: Resolution, lacking: Collection[bytes]) -> bool:
    """Return whether it is sound and has all the names that the host lacks."""
    return is_sound(made) and not still_lacking(made, lacking)


def loses(made: Resolution, lacking: Collection[bytes]) -> bool:
    """Return whether it leaves out a name that the host does not lack."""
    return not {one.soname for one in made.left_out}.issubset(lacking)
