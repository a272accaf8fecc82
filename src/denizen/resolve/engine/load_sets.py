"""What a subject's objects load in a world that is furnished with libraries (pure)."""

from __future__ import annotations

import posixpath

from denizen.linker import Environment, resolve
from denizen.resolve.sysroot_view import LIBRARIES, Sysroot
from denizen.value import replace, value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from denizen.linker import Closure
    from denizen.linker.environment import Answers
    from denizen.resolve.cache.cached_view import Remembered
    from denizen.resolve.sysroot_view import Piece


@value
class Furniture:
    """What the empty world is furnished with.

    Attributes:
        pieces: soname -> file.
        interpreter: the file at the path the program names; None: not chosen.
        override: sonames loaded before all others.
        host: a start on this host, whose world is furnished instead of the empty one.
    """

    pieces: Mapping[bytes, Piece]
    interpreter: Piece | None = None
    override: tuple[bytes, ...] = ()
    host: Environment | None = None


def goes_beyond(furniture: Furniture, before: Furniture) -> bool:
    """Whether a world has all that another had, and possibly more pieces."""
    same = furniture.host is before.host
    same = same and (furniture.interpreter, furniture.override) == (before.interpreter, before.override)
    return same and before.pieces.items() <= furniture.pieces.items()


def closures_of(
    view: Remembered,
    roots: Sequence[bytes],
    interpreter: bytes,
    furniture: Furniture,
    before: Sequence[Closure] = (),
) -> list[Closure]:
    """What each root loads in the furnished world, but for those that an earlier one loads.

    `before`: the same of a world that this one goes beyond. The directory of pieces is searched last, so who
    missed none of the new ones finds what it found.
    """
    kept = {
        closure.program.path: closure
        for closure in before
        if furniture.pieces.keys().isdisjoint(one.soname.rpartition(b"/")[2] for one in closure.missing)
    }
    chosen = furniture.interpreter
    place = (interpreter, chosen) if chosen is not None and interpreter else None
    host = furniture.host
    world = Sysroot(view, furniture.pieces, place, frozenset(roots), host=host is not None)
    closures: list[Closure] = []
    loaded: set[bytes] = set()
    answers: Answers = {}
    for root in roots:
        # What an earlier root loads has been looked at with it.
        if posixpath.normpath(root) not in loaded:
            closure = kept.get(root)
            if closure is None:
                environment = _environment(view, root, interpreter, furniture.override, host)
                closure = resolve(world, root, replace(environment, answers=answers))
            loaded.update(posixpath.normpath(one.path) for one in closure.libraries if one.path)
            closures.append(closure)
    return closures


def _environment(
    view: Remembered, root: bytes, interpreter: bytes, override: Sequence[bytes], host: Environment | None
) -> Environment:
    needed = None
    if override:
        dynamic = view.image(root).dynamic
        first = tuple(LIBRARIES + b"/" + name for name in override)
        needed = first + (dynamic.needed if dynamic else ())
    return replace(
        host or Environment(),
        interpreter_path=interpreter or None,
        extra_directories=(LIBRARIES,),
        needed=needed,
        parse=view.parse,
    )
