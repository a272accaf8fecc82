"""ObjectCensus, all valid objects at once for a collection (pure).

Only a collection imports it.
"""

from __future__ import annotations

from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.store.collection.graph import Graph


class ObjectCensus(Value):
    """All valid objects at once, as integers (row numbers of the database), for a collection.

    Attributes:
        graph: the references between objects.
        paths: `<digest>-<name>` of each object.
        sizes: NAR size of each object, in bytes.
        registered: when each object was registered, in seconds since 1970.
    """

    graph: Graph
    paths: dict[int, str]
    sizes: dict[int, int]
    registered: dict[int, int]
