"""What does not bind in the closures of an attempt (pure).

Each object's symbols are looked up in the first closure that has it. Those of libraries that stand on nothing
but their own suite's are not: these were built and tested together, and in a closure of 190 libraries that is
all but a few.
"""

from __future__ import annotations

from denizen.linker import bind, foreign

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.linker import Binding, Closure, Library
    from denizen.resolve.attempt import Attempt


class Checker:
    """Binds closures, the same objects in the same scope once: another base suite changes few of them."""

    def __init__(self) -> None:
        self._known: dict[object, Binding] = {}

    def bindings(self, closures: Sequence[Closure], attempt: Attempt) -> list[Binding]:
        """What does not bind in each."""

        def vouched(library: Library) -> bool:
            return attempt.is_of_base(library.path or b"")

        # By the image, for a library goes by as many paths as there are run paths that lead to it.
        seen: set[int] = set()
        bindings = []
        for closure in closures:
            asking = [one for one in foreign(closure, vouched) if id(one.image) not in seen]
            seen.update(id(one.image) for one in asking if one.image is not None)
            bindings.append(self._binding(closure, asking))
        return bindings

    def _binding(self, closure: Closure, asking: Sequence[Library]) -> Binding:
        # Images live as long as what remembers them, which is at least as long as this.
        loaded = (closure.program, *closure.libraries)
        key = (
            closure.interpreter,
            tuple([(id(one.image), one.path, one.names) for one in loaded]),
            tuple([id(one.image) for one in closure.scope]),
            tuple([id(one.image) for one in asking]),
        )
        if key not in self._known:
            self._known[key] = bind(closure, asking)
        return self._known[key]
