"""Access to profiles: their directory, and the one way to change one, under its lock."""

from __future__ import annotations

import os

from denizen.app.session import SYSTEM_ROOT
from denizen.errors import shell_word
from denizen.profiles.profile_links import DEFAULT, Profile, profile_at
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from denizen.app.session import Session
    from denizen.profiles.manifest_changes import ElementChange
    from denizen.profiles.profile_manifest import ProfileManifest
    from denizen.store.local import Store
    from denizen.store.object_staging import Work


# The system's profile where none is named.
SYSTEM_DEFAULT = "default"


class ProfileChange(Value):
    """The result of a change.

    Attributes:
        number: of the generation that is current now.
        changes: what differs from the one before; () where nothing did, and no generation was made.
    """

    number: int | None
    changes: tuple[ElementChange, ...]


def profiles_directory(session: Session) -> bytes:
    """Return the directory of profiles that are named, not given by a path."""
    if session.root == SYSTEM_ROOT:
        return os.fsencode(SYSTEM_ROOT) + b"/profiles"
    return session.paths.profiles


def profile_of(session: Session, text: str | None) -> Profile:
    """Return the profile of a name or a path; the default one for None. Raises BadProfileName."""
    usual = SYSTEM_DEFAULT if session.root == SYSTEM_ROOT else DEFAULT
    return profile_at(profiles_directory(session), text or usual)


def options_for(session: Session, profile: Profile) -> list[str]:
    """Return the options by which a command is about this profile, as a shell reads them."""
    root = _root_options(session)
    if profile.place == profile_of(session, None).place:
        return root
    directory, name = os.path.split(profile.place)
    known = os.fsdecode(name if directory == profiles_directory(session) else profile.place)
    return [*root, "--profile", shell_word(known)]


def _root_options(session: Session) -> list[str]:
    """Return the options that name the root of the session where another shell does not know it."""
    if session.root == SYSTEM_ROOT:
        return ["--system"]
    if not session.root or session.root == session.environ.get("DENIZEN_ROOT"):
        return []
    return ["--root", shell_word(os.path.abspath(session.root))]


def profile_names(session: Session) -> list[Profile]:
    """Return the profiles of this user that have a name, sorted."""
    directory = profiles_directory(session)
    try:
        names = sorted(os.listdir(directory))
    except FileNotFoundError:
        return []
    return [
        Profile(place)
        for name in names
        if os.path.islink(place := os.path.join(directory, name)) and not name.endswith(b"-link")
    ]


def changed(
    profile: Profile,
    store: Store,
    work: Work,
    transition: Callable[[ProfileManifest], ProfileManifest],
    new: Collection[str] = (),
) -> ProfileChange:
    """Apply a transition to the current manifest, and switch to the generation that has the result.

    Nothing is written where the transition changes nothing. `new` has the names of elements being installed.
    The objects of the result are kept by `work`.

    Raises:
        Untrusted: another user made the profile's link, or could replace it.
        ProfileConflict: two elements have different files at one path.
        DamagedProfile: the current generation cannot be read. And what the transition raises.
    """
    from denizen.profiles.generation_tree import generation_tree
    from denizen.profiles.manifest_changes import difference
    from denizen.trust import check, check_parent

    check_parent(os.path.dirname(profile.place))
    check(profile.place)
    with profile.locked():
        number = profile.current()
        before = profile.manifest(number)
        after = transition(before)
        if after == before and number is not None:
            return ProfileChange(number, ())
        tree = generation_tree(store, work, after, new)
        number = profile.add(store.layout, tree)
        profile.switch(number)
        return ProfileChange(number, difference(before, after))
