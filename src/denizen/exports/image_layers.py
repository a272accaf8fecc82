"""The layers of an image: which packages have one of their own (pure)."""

from __future__ import annotations

from denizen.exports.rootfs_tree import SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def layer_groups(sizes: Mapping[str, int], small: int = 256 << 10, most: int = 60) -> list[tuple[str, ...]]:
    """Return the owners as groups, a layer each: large packages alone, so that images can share their layers.

    The small ones are together, and the largest of the rest where there would be more than `most` layers. The
    last group is the system's own.
    """
    packages = [owner for owner in sizes if owner != SYSTEM]
    large = sorted((one for one in packages if sizes[one] >= small), key=lambda one: (-sizes[one], one))
    alone = set(large[: most - 2])
    together = tuple(one for one in packages if one not in alone)
    groups = [(one,) for one in packages if one in alone]
    return [*groups, *([together] if together else []), (SYSTEM,)]
