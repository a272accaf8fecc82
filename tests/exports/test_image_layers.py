"""Which packages have a layer of their own."""

from denizen.exports.image_layers import layer_groups
from denizen.exports.rootfs_tree import SYSTEM


def test_large_packages_are_alone_and_small_ones_together() -> None:
    sizes = {SYSTEM: 9, "small": 1, "large": 1 << 20, "larger": 2 << 20, "tiny": 0}
    assert layer_groups(sizes) == [("large",), ("larger",), ("small", "tiny"), (SYSTEM,)]
    assert layer_groups({SYSTEM: 1}) == [(SYSTEM,)]


def test_there_are_not_more_layers_than_engines_take() -> None:
    sizes = {f"p{number}": number << 20 for number in range(1, 100)}
    groups = layer_groups(sizes, most=10)
    assert len(groups) == 10
    assert "p99" in groups[-3]
    assert sum(map(len, groups)) == 100
