"""Access to the store for the commands: its directory, opening and creating it, objects by name."""

from __future__ import annotations

import os

from denizen.formats import storepath
from denizen.formats.storepath import BadStorePath
from denizen.store.local import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session
    from denizen.formats.storepath import StorePath


def store_directory(session: Session) -> bytes:
    """Return the store's directory."""
    return session.paths.store


def open_store(session: Session) -> Store:
    """Return the store, which must exist. Raises NoStore."""
    return Store.open(store_directory(session), short_lived=session.short_lived)


def made_store(session: Session) -> Store:
    """Return the store, created if there is none."""
    return Store.create(store_directory(session), short_lived=session.short_lived)


def object_named(store: Store, text: str) -> StorePath:
    """Return the store object that an argument names.

    The argument is the object's path, a path in it, a link that leads into it, or its bare name.

    Raises:
        BadStorePath: the argument is none of these.
    """
    raw = os.fsencode(text)
    if b"/" not in raw and not os.path.lexists(raw):
        return storepath.from_base(raw)
    place = os.path.abspath(raw)
    try:
        return store.path_at(place)
    except BadStorePath:
        return store.path_at(os.path.realpath(place))
