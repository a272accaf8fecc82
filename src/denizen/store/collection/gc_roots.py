"""Links that are roots of the garbage collector: making and removing them.

root_search.py documents what a root is, and finds them.
"""

from __future__ import annotations

import os

from denizen.contexts import suppress
from denizen.disk import link_atomically, make_directories
from denizen.formats import base32
from denizen.sha256 import digest_of
from denizen.store.errors import doing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.formats.storepath import StorePath
    from denizen.store.layout import StoreLayout


def add_link(layout: StoreLayout, name: bytes, path: StorePath) -> bytes:
    """Keep an object by the link `name` below gcroots/, replacing an older one; return the link's path."""
    link = layout.gcroots + b"/" + name
    with doing("make the root", link):
        make_directories(os.path.dirname(link))
        link_atomically(link, os.path.relpath(layout.place_of(path), os.path.dirname(link)))
    return link


def add_indirect(layout: StoreLayout, link: bytes, path: StorePath) -> None:
    """Make `link`, anywhere, lead to an object, and keep the object as long as the link exists."""
    absolute = os.path.abspath(link)
    with doing("make the root", absolute):
        # Registered as a root before it exists: a collection in between finds the object kept by the
        # session that adds it, a later one by this link.
        link_atomically(_indirect_place(layout, absolute), absolute)
        link_atomically(absolute, layout.place_of(path))


def remove_indirect(layout: StoreLayout, link: bytes) -> None:
    """Remove the link that `add_indirect` made, and its registration below gcroots/.

    Either may be gone already.
    """
    absolute = os.path.abspath(link)
    with doing("remove the root", absolute):
        # The link first: the registration of an absent link keeps nothing, and a collection removes it.
        for place in (absolute, _indirect_place(layout, absolute)):
            with suppress(FileNotFoundError):
                os.unlink(place)


def _indirect_place(layout: StoreLayout, link: bytes) -> bytes:
    digest = base32.encode(digest_of(link)[:20]).encode("ascii")
    return layout.indirect + b"/" + digest


def remove_stale(stale: tuple[bytes, ...]) -> None:
    """Remove indirect roots whose link has gone. The caller holds the store's lock."""
    for place in stale:
        with suppress(FileNotFoundError):
            os.unlink(place)
