"""Files of packages at fixed paths, for a start without a namespace: links in a tree beside the decision."""

from __future__ import annotations

from denizen.launch.strategies.shown_resources import shown_resources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.strategies.base import ProgramStart


def linked_resources(start: ProgramStart, base: Decision) -> bytes:
    """Return a tree with the packages' files at fixed paths that the host lacks; b"" for none.

    Raises OSError.
    """
    from denizen.launch.resources.resource_tree import make_resource_tree

    top = start.decision_store.resource_tree(base.identity)
    return make_resource_tree(top, shown_resources(start.program, start.files, base))
