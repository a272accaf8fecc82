"""The order in which the providers of a soname are considered: the precedence as a table (pure).

It is applied before any package is read. candidate_check.py says which candidates can be used,
provider_choice.py which of these is taken: the first, or where symbols decide the one that has most of them.
"""

from __future__ import annotations

from denizen.index.library_paths import DirectoryKind
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from denizen.index.provider import Provider

# Kinds that the loader can open by their soname; the others are for other machines, or no libraries.
USABLE = frozenset(
    {DirectoryKind.DEFAULT, DirectoryKind.ALTERNATIVE, DirectoryKind.LDCONFIG, DirectoryKind.PRIVATE}
)


class RankedProvider(Value):
    """A provider with the facts by which it is ranked before its package is examined.

    Attributes:
        order: its position in the index's answer.
        in_base: it is of the suite that the C library comes from.
        in_asker: it is of the package whose library asks for the soname.
        already: its package is part of the resolution.
    """

    provider: Provider
    order: int
    in_base: bool
    in_asker: bool
    already: bool


# (what, smaller is better), applied from the top: docs/design.md, "Choosing a provider". Versions come before
# all of it: a provider that lacks one is no candidate. Symbols come last, but decide: among the first
# candidates that can be used, the one with most of them is taken.
PRECEDENCE: tuple[tuple[str, Callable[[RankedProvider], int]], ...] = (
    ("the package of the library that asks", lambda s: not s.in_asker),
    ("a directory of the default search path", lambda s: not s.provider.kind.is_searched),
    ("the base suite", lambda s: not s.in_base),
    ("already in the resolution", lambda s: not s.already),
    ("the index's order", lambda s: s.order),
)


def ranked(standings: Sequence[RankedProvider]) -> list[RankedProvider]:
    """Return the usable providers by PRECEDENCE, the best first, each package once."""
    usable = [s for s in standings if s.provider.kind in USABLE]
    usable.sort(key=lambda s: tuple([rule(s) for _, rule in PRECEDENCE]))
    return list({(s.provider.package, s.provider.sha256): s for s in reversed(usable)}.values())[::-1]
