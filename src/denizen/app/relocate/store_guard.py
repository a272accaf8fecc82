"""Refusal to change what lies in a store: registered objects never change."""

from __future__ import annotations

import os

from denizen.errors import DenizenError
from denizen.store.layout import StoreLayout


class InStore(DenizenError):
    """The error that a file or a tree to be changed lies in a denizen store."""

    path: bytes
    store: bytes
    WHAT = "{path} is not changed"
    WHY = "it lies in the store {store}, whose objects never change"
    REMEDY = "change a copy; denizen store import relocates objects on the way in"


def refuse_in_store(path: bytes) -> None:
    """Raise InStore if a path, its links resolved, is a store or lies in one."""
    place = os.path.realpath(path)
    while True:
        if os.path.exists(StoreLayout(place, place).marker):
            raise InStore(path, place)
        parent = os.path.dirname(place)
        if parent == place:
            return
        place = parent
