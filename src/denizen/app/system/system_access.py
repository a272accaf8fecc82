"""Access to a system: its target, its denizen root, its store, its generations."""

from __future__ import annotations

import os

from denizen.app.session import SYSTEM_ROOT
from denizen.errors import HostLacks
from denizen.store.errors import doing
from denizen.system.system_profile import SystemProfile
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session
    from denizen.formats.storepath import StorePath
    from denizen.store.local import Store
    from denizen.system.activation import SystemTarget
    from denizen.system.system_tree import SystemGeneration


class NotRoot(HostLacks):
    """The error that this machine's own system is changed by root alone."""

    WHAT = "this machine's system is root's to change"
    REMEDY = "sudo denizen system ...; or --target DIR, for a root of your own"


class NoTarget(HostLacks):
    """The error that the target is no directory."""

    path: bytes
    WHAT = "{path} is not a directory that can be a system's root"
    REMEDY = "mkdir {path}"


class SystemAccess(Value):
    """A system.

    Attributes:
        session: for operations; its store and state lie in the target, its cache and sources do not.
        directory: the target's directory; None for this machine's own root.
    """

    session: Session
    directory: bytes | None
    profile: SystemProfile
    target: SystemTarget


def system_at(session: Session, directory: str | None, root_text: str | None = None) -> SystemAccess:
    """Return the system in a directory, or this machine's own for None.

    `root_text` is denizen's root for this machine's own, in place of the usual one; in a target it is always
    at the same place.

    Raises NotRoot, NoTarget, Untrusted.
    """
    from denizen.system.activation import SystemTarget
    from denizen.system.target_root import TargetRoot
    from denizen.trust import check, check_parent

    may_chown = os.geteuid() == 0
    if directory is None and not may_chown:
        raise NotRoot
    place = os.path.realpath(os.fsencode(directory)) if directory is not None else b"/"
    if not os.path.isdir(place):
        raise NoTarget(place)
    if directory is not None:
        # Who can rename what is in it could exchange the store while it is written.
        check_parent(place)
        check(place)
    own = root_text if directory is None and root_text is not None else SYSTEM_ROOT
    inside = os.fsencode(os.path.abspath(own)).lstrip(b"/")
    root = os.path.join(place, inside)
    placed = _placed(session, root, is_own=directory is None)
    store = os.path.relpath(placed.paths.store, place)
    target = SystemTarget(TargetRoot(place), store, directory is None, may_chown)
    return SystemAccess(placed, None if directory is None else place, SystemProfile(root), target)


def _placed(session: Session, root: bytes, *, is_own: bool) -> Session:
    """Return the session with the store and the state of the system.

    What is fetched for another root stays in this user's cache, and comes from this user's sources.
    """
    from denizen.app.paths import paths_of
    from denizen.app.session import Session
    from denizen.value import replace

    own = paths_of(os.fsdecode(root), session.environ)
    placed = Session(session.environ, os.fsdecode(root), session.reporter)
    if is_own:
        return placed
    return placed.with_paths(replace(own, cache=session.paths.cache, config=session.paths.config))


def system_store(access: SystemAccess) -> Store:
    """Return the store of a system, created if there is none; its paths are those that the target sees."""
    from denizen.disk import make_directories
    from denizen.store.local import Store

    physical = access.session.paths.store
    logical = b"/" + access.target.inside
    make_directories(os.path.dirname(physical))
    return Store.create(physical, logical)


def generation_of(access: SystemAccess, store: Store, number: int) -> SystemGeneration:
    """Return a generation by its number. Raises NoSuchGeneration, DamagedSystem, BadStorePath."""
    from denizen.formats import storepath
    from denizen.system.system_tree import read_generation

    tree = access.profile.generation(number).tree
    return read_generation(store, storepath.from_base(os.path.basename(tree)))


def path_named(base: str) -> StorePath | None:
    """Return the store path of a base name; None for an empty one. Raises BadStorePath."""
    from denizen.formats import storepath

    return storepath.from_base(base) if base else None


def read_spec(path: str) -> bytes:
    """Return the text of a description. Raises DiskFailed."""
    from denizen.disk import open_regular
    from denizen.system.spec_reader import MAX_SIZE

    with doing("read", os.fsencode(path)), open(path, "rb", opener=open_regular) as stream:
        return stream.read(MAX_SIZE + 1)
