"""Creation of the store at a place of the user's choice, also under a padded name.

Of two stores whose directories have paths of one length, either's objects fit into the other: every mention
of the one path is replaced by the other where it is, in programs' data too. So a padded store's path is as
long as asked for (as Spack's padded_length, and conda's prefixes in its packages, are).
"""

from __future__ import annotations

import os

from denizen.disk import link_atomically, make_directories
from denizen.errors import BadInput, HostLacks
from denizen.store.local import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session

# Bytes of a padded store's path. An interpreter in the store has to fit into the 255 that the kernel reads of
# a `#!` line, with its object's name of up to 100.
PADDED_LENGTH = 128
_NAME = b"store"
# Linux's longest file name.
_MAX_NAME = 255


class NoPaddedPlace(BadInput):
    """The error that a directory's path leaves no room for a name that makes it as long as asked for."""

    directory: bytes
    length: int
    WHAT = "no store below {directory} can have a path of {length} bytes"
    WHY = "the directory's path is too long, or a name cannot be that long"
    REMEDY = "a directory with a shorter path, or another --length"


class StoreThere(HostLacks):
    """The error that there is a store already."""

    place: bytes
    WHAT = "there is a store already, in {place}"
    REMEDY = "denizen store move, to have it elsewhere; --root DIR, for another one"


def padded_place(directory: bytes, length: int) -> bytes:
    """Return the path of `length` bytes for a store below a directory. Raises NoPaddedPlace."""
    missing = length - len(directory.rstrip(b"/")) - 1
    if not len(_NAME) <= missing <= _MAX_NAME:
        raise NoPaddedPlace(directory, length)
    return directory.rstrip(b"/") + b"/" + _NAME.ljust(missing, b"_")


def create_store(session: Session, place: bytes) -> bytes:
    """Make the store at `place`, to which the usual one becomes a link; return its path.

    Raises StoreThere, NotAStore, DiskFailed.
    """
    usual = session.paths.usual_store
    if os.path.lexists(usual):
        raise StoreThere(session.paths.store)
    Store.create(place).close()
    if place != usual:
        make_directories(os.path.dirname(usual))
        link_atomically(usual, place)
    return place
