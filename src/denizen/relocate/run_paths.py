"""Run paths (DT_RUNPATH, DT_RPATH) with directories added, or without those in which nothing is found (pure).

A directory is kept where it has a library that the object needs and that no directory before it has, or one
that the object's notes or constants name: such names are opened at run time, by the same run path
(NixOS/patchelf#265). DT_RPATH is searched for the libraries of libraries too, so there their needs count.
"""

from __future__ import annotations

import posixpath

from denizen.elf.image import read
from denizen.errors import BadInput
from denizen.fileview import exists
from denizen.linker.tokens import expand_origin_only
from denizen.resolve.dlopen_names import strings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from denizen.elf import Image
    from denizen.fileview import FileView

# Libraries whose own needs are followed.
_MAX_FOLLOWED = 2000


def added(path: bytes | None, more: Iterable[bytes]) -> bytes:
    """Return the run path with directories behind the others, each once."""
    there = path.split(b":") if path else []
    return b":".join(dict.fromkeys([*there, *(one for piece in more for one in piece.split(b":"))]))


def shrunk(view: FileView, place: bytes, image: Image) -> bytes:
    """Return the run path of the object at `place` without the directories in which nothing is found.

    Raises BadInput: the object is malformed.
    """
    dynamic = image.dynamic
    path = None if dynamic is None else dynamic.rpath if dynamic.runpath is None else dynamic.runpath
    if dynamic is None or not path:
        return b""
    directories = path.split(b":")
    home = posixpath.dirname(place)
    places = [expand_origin_only(one, home) for one in directories]
    noted = {name for note in image.notes.dlopen for name in note.sonames}
    # What it needs stands among the constants too, in .dynstr.
    opened = (noted | set(strings(image, lambda _: True))) - {*dynamic.needed, dynamic.soname}
    inherited = dynamic.runpath is None
    kept = _kept(view, places, list(dynamic.needed), inherited=inherited)
    for at, real in enumerate(places):
        # What $LIB and $PLATFORM stand for is the dynamic linker's to say.
        if real is None or (real and any(exists(view, posixpath.join(real, name)) for name in opened)):
            kept.add(at)
    return b":".join(directories[at] for at in sorted(kept))


def _kept(view: FileView, places: list[bytes | None], needed: list[bytes], *, inherited: bool) -> set[int]:
    """Return the indices of the directories in which the needed libraries are found first."""
    kept: set[int] = set()
    pending, seen = needed, set(needed)
    while pending and len(seen) < _MAX_FOLLOWED:
        name = pending.pop()
        for at, real in enumerate(places):
            library = posixpath.join(real or b"", name)
            if real and b"/" not in name and exists(view, library):
                kept.add(at)
                more = [one for one in _needs(view, library) if one not in seen] if inherited else []
                seen.update(more)
                pending += more
                break
    return kept


def _needs(view: FileView, library: bytes) -> tuple[bytes, ...]:
    try:
        dynamic = read(view.read(library)).dynamic
    except (OSError, BadInput):
        return ()
    return dynamic.needed if dynamic is not None else ()
