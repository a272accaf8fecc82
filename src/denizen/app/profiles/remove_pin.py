"""Changes of a profile that bring nothing new: `remove`, `pin`, `unpin`."""

from __future__ import annotations

from denizen.app.profiles.profile_access import changed
from denizen.profiles.manifest_changes import with_pinned, without_elements

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.profiles.profile_access import ProfileChange
    from denizen.app.session import Session
    from denizen.profiles.profile_links import Profile


def remove(session: Session, profile: Profile, names: Sequence[str]) -> ProfileChange:
    """Remove elements from a profile. Raises NotInProfile."""
    from denizen.app.supply.store_access import made_store

    with made_store(session) as store, store.working() as work:
        return changed(profile, store, work, lambda manifest: without_elements(manifest, names))


def pin(session: Session, profile: Profile, names: Sequence[str], *, pinned: bool) -> ProfileChange:
    """Pin elements, so that upgrades leave them alone, or pin them no more. Raises NotInProfile."""
    from denizen.app.supply.store_access import made_store

    with made_store(session) as store, store.working() as work:
        return changed(profile, store, work, lambda manifest: with_pinned(manifest, names, pinned=pinned))
