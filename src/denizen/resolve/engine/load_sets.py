"""The objects that a subject loads in a file tree with the chosen libraries, by the linker model (pure)."""

from __future__ import annotations

import posixpath

from denizen.linker import Environment, resolve
from denizen.resolve.sysroot_view import LIBRARIES, Sysroot
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from denizen.linker import Closure
    from denizen.linker.search_results import Answers
    from denizen.resolve.cache.cached_view import CachedView
    from denizen.resolve.sysroot_view import ChosenFile


class AddedLibraries(Value):
    """The chosen libraries that are added to the file tree.

    Attributes:
        pieces: soname -> file.
        interpreter: the file at the path that the program names; None if none is chosen.
        override: sonames that are loaded before all others.
        host: this host as the linker sees it, if its libraries are extended; None for an empty system.
    """

    pieces: Mapping[bytes, ChosenFile]
    interpreter: ChosenFile | None = None
    override: tuple[bytes, ...] = ()
    host: Environment | None = None


def goes_beyond(added: AddedLibraries, before: AddedLibraries) -> bool:
    """Tell whether `added` equals `before` except for additional pieces."""
    same = added.host is before.host
    same = same and (added.interpreter, added.override) == (before.interpreter, before.override)
    return same and before.pieces.items() <= added.pieces.items()


def closures_of(
    view: CachedView,
    roots: Sequence[bytes],
    interpreter: bytes,
    added: AddedLibraries,
    before: Sequence[Closure] = (),
) -> list[Closure]:
    """Return the closure of each root that no earlier root loads.

    Args:
        view: the file tree.
        roots: paths of the objects to load.
        interpreter: path of the dynamic linker that they name; b"" for none.
        added: the chosen libraries.
        before: closures of the same roots with fewer pieces. The directory of pieces is searched last, so a
            closure
            that missed none of the new pieces is unchanged and is returned again.
    """
    kept = {
        closure.program.path: closure
        for closure in before
        if added.pieces.keys().isdisjoint(one.soname.rpartition(b"/")[2] for one in closure.missing)
    }
    chosen = added.interpreter
    place = (interpreter, chosen) if chosen is not None and interpreter else None
    host = added.host
    sysroot = Sysroot(view, added.pieces, place, frozenset(roots), host=host is not None)
    closures: list[Closure] = []
    loaded: set[bytes] = set()
    answers: Answers = {}
    for root in roots:
        # A root that an earlier one loads was examined with it.
        if posixpath.normpath(root) not in loaded:
            closure = kept.get(root)
            if closure is None:
                environment = _environment(view, root, interpreter, added.override, host)
                closure = resolve(sysroot, root, replace(environment, answers=answers))
            loaded.update(posixpath.normpath(one.path) for one in closure.libraries if one.path)
            closures.append(closure)
    return closures


def _environment(
    view: CachedView, root: bytes, interpreter: bytes, override: Sequence[bytes], host: Environment | None
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
