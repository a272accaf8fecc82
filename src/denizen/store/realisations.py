"""Realisations: which object is the output of a derivation whose output paths follow from content.

One file for each, `<store>/.denizen/realisations/<hash modulo in hex>!<output>`, named as Nix names its own,
with the object's base name and a newline. It says nothing about whether the object is still valid.
"""

from __future__ import annotations

import contextlib
import os

from denizen.disk import make_directories, write_atomically
from denizen.formats import storepath
from denizen.formats.storepath import BadStorePath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.formats.storepath import StorePath
    from denizen.store.layout import StoreLayout

# A base name has at most 32 + 1 + 211 characters.
_MAX_SIZE = 400


def realised_path(layout: StoreLayout, modulo: bytes, output: bytes) -> StorePath | None:
    """Return the object that an output became, None where that is not known."""
    return _read(_place(layout, modulo, output))


def _read(place: bytes) -> StorePath | None:
    try:
        with open(place, "rb") as stream:
            return storepath.from_base(stream.read(_MAX_SIZE).rstrip(b"\n"))
    except (FileNotFoundError, NotADirectoryError, BadStorePath):
        return None


def record_realisation(layout: StoreLayout, modulo: bytes, output: bytes, path: StorePath) -> None:
    """Remember which object an output became."""
    place = _place(layout, modulo, output)
    make_directories(os.path.dirname(place))
    write_atomically(place, path.base.encode("ascii") + b"\n")


def prune_realisations(layout: StoreLayout) -> None:
    """Forget what has become of outputs whose objects are gone. Raises OSError."""
    directory = layout.state + b"/realisations"
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return
    for name in names:
        place = directory + b"/" + name
        path = _read(place)
        if path is None or not os.path.lexists(layout.place_of(path)):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(place)


def _place(layout: StoreLayout, modulo: bytes, output: bytes) -> bytes:
    return b"%b/realisations/%b!%b" % (layout.state, modulo.hex().encode("ascii"), output)
