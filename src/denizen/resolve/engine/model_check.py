"""What the linker model says of an attempt: what everything loads, and what of that does not bind (pure).

Each object's symbols are looked up in the first closure that has it, those of packages like those of the
program: that the libraries of one suite fit each other is what is to be shown (0.1 s for 190 of them).

The same question is asked again by another attempt, with more suites or another base, and most of the answer
is what it was: closures and what does not bind in them are kept.
"""

from __future__ import annotations

from denizen.linker import bind
from denizen.resolve.engine.load_sets import closures_of, goes_beyond

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.linker import Binding, Closure, LoadedLibrary
    from denizen.resolve.engine.load_sets import Furniture
    from denizen.resolve.subject import Subject


class Checker:
    """The linker model, and what it answered before about one subject."""

    def __init__(self) -> None:
        self._last: tuple[Furniture, list[Closure]] | None = None
        self._bound: dict[object, Binding] = {}

    def closures(self, subject: Subject, furniture: Furniture) -> list[Closure]:
        """What each object loads that has a closure of its own."""
        before: list[Closure] = []
        if self._last is not None and goes_beyond(furniture, self._last[0]):
            before = self._last[1]
        made = closures_of(subject.view, subject.loaded, subject.interpreter, furniture, before)
        self._last = furniture, made
        return made

    def bindings(self, closures: Sequence[Closure]) -> list[Binding]:
        """What does not bind in each."""
        # By the image, for a library goes by as many paths as there are run paths that lead to it.
        seen: set[int] = set()
        bindings = []
        for closure in closures:
            asking = [one for one in closure.scope if one.image is not None and id(one.image) not in seen]
            seen.update(id(one.image) for one in asking)
            bindings.append(self._binding(closure, asking))
        return bindings

    def _binding(self, closure: Closure, asking: Sequence[LoadedLibrary]) -> Binding:
        # Images live as long as what remembers them, which is at least as long as this.
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
