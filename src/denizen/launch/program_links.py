"""Links that start a program through the loader.

LINK leads to the loader, which looks up the name by which it was started in `links/` of its decision
directories (loader/run_as_program.c).
"""

from __future__ import annotations

import os

from denizen.disk import link_atomically, make_directories
from denizen.errors import DenizenError, HostLacks, display

LINKS = b"links"


class NameTaken(DenizenError):
    """The error that a name belongs to another program's link, or that the place has another file."""

    place: bytes
    reason: str
    WHAT = "cannot make the link {place}"
    WHY = "{reason:text}"
    REMEDY = "give the link another name"


class LinkFailed(HostLacks):
    """The error that the kernel refused to make a link."""

    place: bytes
    reason: str
    WHAT = "cannot make the link {place}"
    WHY = "{reason:text}"


def make_link(link: bytes, program: bytes, loader: bytes, decisions: bytes) -> None:
    """Make `link` start `program` (both absolute paths); an existing denizen link of that name is replaced.

    Raises:
        NameTaken: the name belongs to another program's link already, or the place has another file.
        LinkFailed: the kernel refused.
    """
    name = os.path.basename(link)
    known = os.path.join(decisions, LINKS, name)
    held = _target(known)
    if held not in (None, program):
        raise NameTaken(link, f"{display(name)} starts {display(held or b'')}")
    if name.startswith((b"denizen-loader", b"ld-", b"ld.so", b"ld64")):
        raise NameTaken(link, "a loader of that name is asked for no program")
    if os.path.lexists(link) and not os.path.basename(_target(link) or b"").startswith(b"denizen-loader"):
        raise NameTaken(link, "something else is there")
    try:
        make_directories(os.path.dirname(known), 0o700)
        link_atomically(known, program)
        link_atomically(link, loader)
    except OSError as problem:
        raise LinkFailed(link, problem.strerror or "") from problem


def _target(place: bytes) -> bytes | None:
    try:
        return os.readlink(place)
    except OSError:
        return None
