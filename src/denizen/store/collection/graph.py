"""The reference graph of a store as integers: reachability, shortest chain, topological order (pure).

Objects are small integers (row numbers of the database); an edge leads from an object to one it
references. Marking 20,000 objects is a walk over lists of integers: no path is compared and the
database is not asked again. References may lead to the object itself; a longer cycle cannot arise
from adding, but a damaged database may hold one, so no function here relies on its absence.
"""

from __future__ import annotations

from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from typing import TypeAlias

    Edges: TypeAlias = Mapping[int, Sequence[int]]


class Graph(Value):
    """Objects and their references.

    Attributes:
        nodes: every object.
        references: maps an object to those it mentions; objects that mention none are absent.
    """

    nodes: frozenset[int]
    references: Edges

    def referrers(self) -> dict[int, list[int]]:
        """Return the reversed edges: each object mapped to those that mention it, itself left out."""
        turned: dict[int, list[int]] = {}
        for referrer, references in self.references.items():
            for reference in references:
                if reference != referrer:
                    turned.setdefault(reference, []).append(referrer)
        return turned


def reachable(edges: Edges, starts: Iterable[int]) -> set[int]:
    """Return `starts` and every object reachable from them."""
    seen = set(starts)
    pending = list(seen)
    while pending:
        for there in edges.get(pending.pop(), ()):
            if there not in seen:
                seen.add(there)
                pending.append(there)
    return seen


def path_to(edges: Edges, starts: Iterable[int], goal: int) -> tuple[int, ...]:
    """Return a shortest chain from one of `starts` to `goal`, both ends included; () if there is none."""
    came_from: dict[int, int | None] = dict.fromkeys(starts)
    layer = list(came_from)
    while layer and goal not in came_from:
        following: list[int] = []
        for here in layer:
            for there in edges.get(here, ()):
                if there not in came_from:
                    came_from[there] = here
                    following.append(there)
        layer = following
    chain: list[int] = []
    step: int | None = goal if goal in came_from else None
    while step is not None:
        chain.append(step)
        step = came_from[step]
    return tuple(reversed(chain))


def referrers_first(
    graph: Graph, among: Collection[int], key: Callable[[int], int] = lambda node: node
) -> tuple[int, ...]:
    """Return `among` in topological order: each object after all in `among` that mention it.

    Where the order is free, smallest `key` first. Deleting in this order leaves, wherever it stops, no object
    whose reference is gone. Objects on a cycle, which have no such order, and those only they mention come
    last.
    """
    waiting = dict.fromkeys(among, 0)
    for node, references in graph.references.items():
        if node in waiting:
            for reference in references:
                if reference != node and reference in waiting:
                    waiting[reference] += 1
    # Level by level, each sorted at once: a heap takes 5 times as long for 20,000 objects.
    free = [node for node, count in waiting.items() if count == 0]
    order: list[int] = []
    while free:
        free.sort()
        free.sort(key=key)
        order += free
        freed: list[int] = []
        for node in free:
            for reference in graph.references.get(node, ()):
                if reference != node and reference in waiting:
                    waiting[reference] -= 1
                    if waiting[reference] == 0:
                        freed.append(reference)
        free = freed
    ordered = set(order)
    return (*order, *sorted(node for node in waiting if node not in ordered))


def references_first(graph: Graph, among: Collection[int]) -> tuple[int, ...]:
    """Return `among`, each object after those it mentions: the order in which a closure is copied."""
    return tuple(reversed(referrers_first(graph, among)))
