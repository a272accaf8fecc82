"""The order in which dead objects are deleted, and how many of them where there are limits (pure)."""

from __future__ import annotations

from denizen.store.collection.graph import reachable, referrers_first
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from denizen.store.collection.graph import Graph


class Limits(Value):
    """Limits on how many of the dead objects to delete.

    Attributes:
        max_freed: stop once this many bytes (of NAR size) are deleted; None for no limit.
        registered_before: only objects registered before this time, in seconds since 1970.
    """

    max_freed: int | None = None
    registered_before: int | None = None


def choose(
    graph: Graph,
    live: Iterable[int],
    *,
    sizes: Mapping[int, int],
    registered: Mapping[int, int],
    limits: Limits,
) -> tuple[int, ...]:
    """Return the objects to delete, referrers first and among equals the oldest first.

    An object too young to delete keeps what it references, however old that is.
    """
    kept = set(live)
    if limits.registered_before is not None:
        kept |= {node for node in graph.nodes if registered[node] >= limits.registered_before}
    dead = graph.nodes - reachable(graph.references, kept & graph.nodes)
    order = referrers_first(graph, dead, key=registered.__getitem__)
    if limits.max_freed is None:
        return order
    chosen: set[int] = set()
    freed = 0
    for node in order:
        if freed >= limits.max_freed:
            break
        chosen.add(node)
        freed += sizes[node]
    # On a cycle, which a damaged database may hold, an object can come before one that mentions it.
    whole = reachable(graph.referrers(), chosen)
    return tuple(node for node in order if node in whole)
