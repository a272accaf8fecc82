"""The end of what profiles used: decisions and environments of commands that no generation has any more."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session
    from denizen.launch.decisions.decision_store import DecisionStore
    from denizen.store.local import Store


def forget_commands(session: Session, store: Store, unused_for: int) -> int:
    """Delete the decisions about commands that no generation of any profile has; return their number.

    Commands that `x` brought go when they were not started for `unused_for` seconds. A decision is kept while
    a process uses one of its objects: the program may open libraries later.

    Raises:
        DamagedProfile, DiskFailed: a generation cannot be read; nothing was deleted.
        ProcessUnreadable: a process of this user cannot be examined; nothing was deleted.
    """
    from denizen.app.profiles.try_command import forget_tried, tried_objects
    from denizen.launch.decisions.decision_store import decision_stores
    from denizen.launch.decisions.expiry import digests_of
    from denizen.launch.fast_path import INSTALLED, NAME_DIGITS, NAMED
    from denizen.store.collection.processes import held_by_processes

    forget_tried(session, store, unused_for)
    mine = [one for one in decision_stores(session.paths.decisions) if one.name.startswith(INSTALLED)]
    rows = [
        (decision_store, name, found) for decision_store in mine for name, found in decision_store.decisions()
    ]
    if not rows:
        return 0
    alive = _alive(store) | _in_systems(session) | tried_objects(session)
    # A program that is in a command's environment has a decision by that one's tree.
    alive |= {
        digest
        for _, name, found in rows
        if os.path.basename(name)[:NAME_DIGITS] in alive
        for digest in digests_of(found)
    }
    dead = [
        (decision_store, name, found)
        for decision_store, name, found in rows
        if name.startswith(NAMED) and os.path.basename(name)[:NAME_DIGITS] not in alive
    ]
    wanted = {digest for _, _, found in dead for digest in digests_of(found)}
    held = frozenset(held_by_processes(wanted).held) if wanted else frozenset()
    dropped = [row for row in dead if held.isdisjoint(digests_of(row[2]))]
    for decision_store, name, _ in dropped:
        decision_store.drop(store.layout, name)
    for decision_store in mine:
        _drop_unnamed(decision_store, store)
    return len(dropped)


def _drop_unnamed(decision_store: DecisionStore, store: Store) -> None:
    """Delete the decisions by a file's identity, with their copies and links, that no command refers to."""
    from denizen.launch.decisions.program_identity import identity_name
    from denizen.launch.fast_path import NAMED

    rows = list(decision_store.decisions())
    named = {identity_name(found.identity) for name, found in rows if found and name.startswith(NAMED)}
    for name, _ in rows:
        if not name.startswith(NAMED) and name not in named and not name.startswith(b"b-"):
            decision_store.drop(store.layout, name)
    if not named:
        for name, _ in rows:
            if name.startswith(b"b-"):
                decision_store.drop(store.layout, name)


def _in_systems(session: Session) -> set[bytes]:
    """Return the hashes of all objects that the packages of a system's generation have."""
    from denizen.system.system_profile import SystemProfile

    if session.root is None:
        return set()
    system = SystemProfile(os.path.abspath(os.fsencode(session.root)))
    return {path.digest.encode() for number in system.numbers() for path in system.packages(number).objects}


def _alive(store: Store) -> set[bytes]:
    """Return the hashes of all objects that a generation of a profile has."""
    from denizen.profiles.profile_links import registered_profiles

    return {
        path.digest.encode()
        for profile in registered_profiles(store.layout)
        for generation in profile.generations()
        for path in profile.manifest(generation.number).objects
    }
