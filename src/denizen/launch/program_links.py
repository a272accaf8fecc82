"""Links that start a program by the loader.

LINK leads to the loader, which looks the name it was started by up in `links/` of its decision directories
(loader/launch.c).
"""

from __future__ import annotations

import os

from denizen.disk import link_atomically, make_directories
from denizen.errors import DenizenError, HostLacks, display

LINKS = b"links"


class NameTaken(DenizenError):
    """A name is another program's, or a place is taken by what is no link of ours."""

    place: bytes
    reason: str
    WHAT = "cannot make the link {place}"
    WHY = "{reason:text}"
    REMEDY = "give the link another name"


class LinkFailed(HostLacks):
    """The system refused to make a link."""

    place: bytes
    reason: str
    WHAT = "cannot make the link {place}"
    WHY = "{reason:text}"


def make_link(link: bytes, program: bytes, loader: bytes, decisions: bytes) -> None:
    """Let `link` start `program` (both absolute); a link of ours with that name is replaced.

    Raises:
        NameTaken: the name means another program already, or something else is there.
        LinkFailed: the system refused.
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
