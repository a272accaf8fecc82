"""Links to what was built, which keep it from the garbage collector: `result`, as nix-build makes them."""

from __future__ import annotations

import os

from denizen.errors import DenizenError
from denizen.formats import storepath
from denizen.store.collection.gc_roots import add_indirect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from denizen.store.layout import StoreLayout

RESULT = "result"


class OutLinkTaken(DenizenError):
    """The error that something else than a link is where the link to an output is to be."""

    path: bytes
    WHAT = "{path} cannot lead to what was built"
    WHY = "something that is no link is there"
    REMEDY = "--out-link NAME, or --no-out-link"


def link_names(made: Mapping[str, Mapping[str, bytes]], link: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield the link for each output with the output's place.

    The names are nix-build's: LINK for the output `out`, LINK-NAME for others; LINK-2 for the second
    derivation.
    """
    for number, outputs in enumerate(made.values(), 1):
        base = link if number == 1 else f"{link}-{number}"
        for name, place in outputs.items():
            yield os.fsencode(base if name == "out" else f"{base}-{name}"), place


def refuse_taken(link: str) -> None:
    """Raise OutLinkTaken if the link for an output cannot be made. To be called before anything is built."""
    place = os.fsencode(os.path.abspath(link))
    if os.path.lexists(place) and not os.path.islink(place):
        raise OutLinkTaken(place)


def add_out_links(layout: StoreLayout, made: Mapping[str, Mapping[str, bytes]], link: str) -> None:
    """Make links to outputs; each keeps its output as long as it exists. Raises OutLinkTaken, DiskFailed."""
    links = list(link_names(made, link))
    for name, _ in links:
        refuse_taken(os.fsdecode(name))
    for name, place in links:
        add_indirect(layout, name, storepath.from_base(os.fsdecode(os.path.basename(place))))
