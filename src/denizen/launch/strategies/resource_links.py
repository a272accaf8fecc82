"""Files of packages at fixed paths, for a start without a namespace: links in a tree beside the decision."""

from __future__ import annotations

import os

from denizen.launch.decisions.decision_store import RESOURCE_TREES
from denizen.launch.decisions.program_identity import identity_name
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

    top = os.path.join(start.decision_store.directory, RESOURCE_TREES, identity_name(base.identity))
    return make_resource_tree(top, shown_resources(start.program, start.files, base))
