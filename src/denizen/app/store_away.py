"""StoreAway, the error that a moved store is not there (pure).

It is imported where it is raised, as the errors of profiles are (profiles/profile_errors.py).
"""

from __future__ import annotations

from denizen.errors import HostLacks


class StoreAway(HostLacks):
    """The error that the store was moved to a place that does not exist now.

    Attributes:
        pointer: the link in the store's usual place.
        place: the link's target.
    """

    pointer: bytes
    place: bytes
    WHAT = "the store is not in {place}, where it was moved to"
    WHY = "{pointer} leads there; perhaps its disk is not mounted"
    REMEDY = "mount the disk; or rm {pointer}, and a new store is made when one is needed"
