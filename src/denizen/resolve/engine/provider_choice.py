"""The choice of one provider of a soname: candidates are examined in their order, then compared by symbols.

The order is provider_ranking.py's; the reasons against a candidate are candidate_check.py's. A candidate that
is not taken is recorded with the reason, for the explanation.
"""

from __future__ import annotations

from denizen.resolve.resolution import ChoiceRule, Rejected
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from denizen.elf import Image
    from denizen.index.provider import Provider
    from denizen.resolve.engine.candidate_check import Evaluation
    from denizen.resolve.engine.provider_ranking import RankedProvider

# Limits for one soname: candidates that are examined, and bytes that are fetched to examine them.
MAX_LOOKED_INTO = 6
MAX_LOOKED_BYTES = 64 << 20


class ChosenProvider(Value):
    """The candidate that is taken for a soname, the rule by which, and the others with the reasons.

    Attributes:
        found: None if no candidate can be used; the rule says nothing then.
    """

    found: Evaluation | None
    rule: ChoiceRule
    rejected: tuple[Rejected, ...]


def choose_provider(
    candidates: Sequence[RankedProvider],
    examine: Callable[[RankedProvider], Evaluation | str],
    missed: frozenset[bytes],
    undefined: Callable[[], frozenset[bytes]],
) -> ChosenProvider:
    """Return the candidate to take.

    The first that can be used is taken, but the one with most symbols where symbols decide: some were missed,
    or packages have the library in private directories only.

    Args:
        candidates: the ranked providers, the best first.
        examine: returns a candidate that can be used, or the reason why it cannot. Its package is fetched.
        missed: the symbols that an earlier attempt did not find.
        undefined: returns the undefined symbols of the objects that ask for the soname.
    """
    private = only_private(candidates)
    fitting, rejected = _examined(
        candidates, examine, undefined() if private else frozenset(), compare=bool(missed) or private
    )
    if not fitting:
        return ChosenProvider(None, ChoiceRule.BEST, tuple(rejected))
    at, losers = most(fitting, missed or (undefined() if len(fitting) > 1 else frozenset()))
    rule = rule_of(fitting[at][0], candidates, rejected, by_symbols=at > 0)
    return ChosenProvider(fitting[at][1], rule, (*rejected, *losers))


def _examined(
    candidates: Sequence[RankedProvider],
    examine: Callable[[RankedProvider], Evaluation | str],
    symbols: frozenset[bytes],
    *,
    compare: bool,
) -> tuple[list[tuple[RankedProvider, Evaluation]], list[Rejected]]:
    """Return the candidates that can be used, and the rejected ones.

    Unless they are compared, none is examined after the first that can be used. Of `symbols`, if there are
    any, a candidate has to define one.
    """
    fitting: list[tuple[RankedProvider, Evaluation]] = []
    rejected: list[Rejected] = []
    looked = 0
    for standing in candidates[:MAX_LOOKED_INTO]:
        looked += standing.provider.size
        if fitting and (not compare or looked > MAX_LOOKED_BYTES):
            rejected.append(rejection(standing.provider, "comes later in the order of answers"))
            continue
        verdict = examine(standing)
        if isinstance(verdict, str):
            rejected.append(rejection(standing.provider, verdict))
        elif symbols and not share(verdict.image, symbols):
            rejected.append(rejection(standing.provider, "defines none of the symbols asked for"))
        else:
            fitting.append((standing, verdict))
    return fitting, rejected


def only_private(candidates: Sequence[RankedProvider]) -> bool:
    """Tell whether packages have the library in their private directories only.

    There a name does not identify a library: plugins can have the name of another project's library. qmmp's
    libffmpeg.so is not Electron's.
    """
    return bool(candidates) and not any(s.provider.kind.is_searched or s.in_asker for s in candidates)


def most(
    fitting: Sequence[tuple[RankedProvider, Evaluation]], symbols: frozenset[bytes]
) -> tuple[int, tuple[Rejected, ...]]:
    """Return the position of the candidate that defines most of the symbols, and the others' rejections.

    Among equals the first one wins.
    """
    shares = [share(found.image, symbols) if symbols else 0 for _, found in fitting]
    at = max(range(len(fitting)), key=lambda number: (shares[number], -number))
    reasons = [f"defines {count} of the symbols asked for, the chosen one {shares[at]}" for count in shares]
    return at, tuple(
        rejection(found.provider, reasons[number])
        for number, (_, found) in enumerate(fitting)
        if number != at
    )


def rule_of(
    best: RankedProvider,
    candidates: Sequence[RankedProvider],
    rejected: Sequence[Rejected],
    *,
    by_symbols: bool,
) -> ChoiceRule:
    """Return the rule by which the best candidate was chosen, for the explanation."""
    if by_symbols:
        return ChoiceRule.SYMBOLS
    if best.in_asker:
        return ChoiceRule.SAME_PACKAGE
    if any("does not define" in r.reason for r in rejected):
        return ChoiceRule.VERSIONS
    if not best.in_base:
        return ChoiceRule.OTHER_SUITE
    return ChoiceRule.ONLY if len({s.provider.package for s in candidates}) == 1 else ChoiceRule.BEST


def rejection(provider: Provider, reason: str) -> Rejected:
    """Return the record of a provider that was rejected for a reason."""
    return Rejected(provider.package, provider.suite, reason)


def share(image: Image, symbols: frozenset[bytes]) -> int:
    """Return the number of the symbols that an object defines."""
    return len(symbols & image.symbols.defined_names)
