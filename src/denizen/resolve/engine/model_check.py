"""Checks of an attempt by the linker model: the objects that are loaded, and symbols that do not bind (pure).

Each object's symbols are looked up in the first closure that has it. Those of packages are checked like those
of the program, to show that the libraries of one suite fit each other (0.1 s for 190 of them).

Another attempt, with more suites or another C library, asks almost the same question: closures and unbound
symbols are kept and used again.
"""

from __future__ import annotations

from denizen.linker import bind
from denizen.resolve.engine.load_sets import closures_of, goes_beyond

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.linker import Binding, Closure, LoadedLibrary
    from denizen.resolve.cache.cached_view import CachedView
    from denizen.resolve.engine.load_sets import AddedLibraries


class Checker:
    """The linker model with its earlier answers about one subject."""

    def __init__(self) -> None:
        self._last: tuple[AddedLibraries, list[Closure]] | None = None
        self._bound: dict[object, Binding] = {}

    def closures(
        self, view: CachedView, roots: Sequence[bytes], interpreter: bytes, added: AddedLibraries
    ) -> list[Closure]:
        """Return the closure of each of a subject's `roots`, with these chosen libraries."""
        before: list[Closure] = []
        if self._last is not None and goes_beyond(added, self._last[0]):
            before = self._last[1]
        made = closures_of(view, roots, interpreter, added, before)
        self._last = added, made
        return made

    def bindings(self, closures: Sequence[Closure]) -> list[Binding]:
        """Return the symbols and versions that do not bind, for each closure."""
        # By image and not by path: a library has as many paths as run paths lead to it.
        seen: set[int] = set()
        bindings = []
        for closure in closures:
            asking = [one for one in closure.scope if one.image is not None and id(one.image) not in seen]
            seen.update(id(one.image) for one in asking)
            bindings.append(self._binding(closure, asking))
        return bindings

    def _binding(self, closure: Closure, asking: Sequence[LoadedLibrary]) -> Binding:
        # The subject's view keeps the images alive, so that an id is not used twice.
        loaded = (closure.program, *closure.libraries)
        key = (
            closure.interpreter,
            tuple([(id(one.image), one.path, one.names) for one in loaded]),
            tuple([id(one.image) for one in closure.scope]),
            tuple([id(one.image) for one in asking]),
        )
        if key not in self._bound:
            self._bound[key] = bind(closure, asking)
        return self._bound[key]
