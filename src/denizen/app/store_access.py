"""What the commands about the store share: which store, which object, sizes and ages as people write them."""

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
    """Where the store is."""
    return session.paths.store


def open_store(session: Session) -> Store:
    """The store, which must exist."""
    return Store.open(store_directory(session))


def made_store(session: Session) -> Store:
    """The store, made if there is none."""
    return Store.create(store_directory(session))


def object_named(store: Store, text: str) -> StorePath:
    """The object an argument means: its path, a path in it, a link that leads into it, or its bare name.

    Raises:
        BadStorePath: none of these.
    """
    raw = os.fsencode(text)
    if b"/" not in raw and not os.path.lexists(raw):
        return storepath.from_base(raw)
    place = os.path.abspath(raw)
    try:
        return store.path_at(place)
    except BadStorePath:
        return store.path_at(os.path.realpath(place))
