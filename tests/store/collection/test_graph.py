from hypothesis import given
from hypothesis import strategies as st

from denizen.store.collection.graph import Graph, path_to, reachable, references_first, referrers_first

DIAMOND = Graph(frozenset(range(1, 6)), {1: [2, 3], 2: [4], 3: [4], 4: [4]})


def test_a_closure_holds_what_is_referenced_at_any_distance() -> None:
    assert reachable(DIAMOND.references, [1]) == {1, 2, 3, 4}
    assert reachable(DIAMOND.references, [2, 5]) == {2, 4, 5}
    assert reachable(DIAMOND.references, []) == set()


def test_a_reference_to_itself_makes_no_referrer() -> None:
    assert DIAMOND.referrers() == {2: [1], 3: [1], 4: [2, 3]}


def test_the_chain_that_keeps_an_object_is_a_shortest_one() -> None:
    graph = Graph(frozenset(range(4)), {0: [1, 3], 1: [2], 2: [3]})
    assert path_to(graph.references, [0], 3) == (0, 3)
    assert path_to(graph.references, [1], 3) == (1, 2, 3)
    assert path_to(graph.references, [3], 3) == (3,)
    assert path_to(graph.references, [3], 0) == ()


def test_referrers_come_before_what_they_mention_and_the_smallest_key_first() -> None:
    assert referrers_first(DIAMOND, [1, 2, 3, 4, 5]) == (1, 5, 2, 3, 4)
    assert referrers_first(DIAMOND, [1, 2, 3, 4, 5], key=lambda n: -n) == (5, 1, 3, 2, 4)
    assert referrers_first(DIAMOND, [2, 4]) == (2, 4)


def test_a_cycle_neither_hangs_nor_loses_anything() -> None:
    graph = Graph(frozenset(range(5)), {0: [1], 1: [2], 2: [1, 3]})
    assert referrers_first(graph, graph.nodes) == (0, 4, 1, 2, 3)
    assert reachable(graph.references, [0]) == {0, 1, 2, 3}


edges = st.dictionaries(st.integers(0, 15), st.lists(st.integers(0, 15), max_size=5), max_size=16)


@given(edges)
def test_in_a_graph_without_cycles_each_order_respects_every_edge(drawn: dict[int, list[int]]) -> None:
    acyclic = {node: [other for other in others if other > node] for node, others in drawn.items()}
    graph = Graph(frozenset(range(16)), acyclic)
    down = {node: place for place, node in enumerate(referrers_first(graph, graph.nodes))}
    up = {node: place for place, node in enumerate(references_first(graph, graph.nodes))}
    assert len(down) == len(up) == 16
    for node, others in acyclic.items():
        for other in others:
            assert down[node] < down[other]
            assert up[other] < up[node]
