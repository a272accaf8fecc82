"""The load list of a decision, from a closure: breadth-first, with pinned and renamed libraries (pure)."""

from __future__ import annotations

from denizen.launch.decisions.decision import DecisionLibrary
from denizen.linker.c_library import C_LIBRARY
from denizen.linker.rule_tables import INTERPRETER, PATH, RPATH, RUNPATH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.linker import Closure
    from denizen.linker import LoadedLibrary as Linked


def libraries_of(closure: Closure) -> tuple[DecisionLibrary, ...]:
    """Return the libraries of a decision: all that were found, in the order in which symbols are looked up.

    The dynamic linker is left out, as it is loaded before, and so are libraries without a file.
    """
    return tuple(
        DecisionLibrary(linked.path, linked.soname, pinned=_pinned(closure, linked), renamed=_renamed(linked))
        for linked in closure.scope
        if linked.path is not None
        and linked.image is not None
        and linked is not closure.program
        and linked.rule is not INTERPRETER
    )


def _pinned(closure: Closure, linked: Linked) -> bool:
    """Tell whether the library comes before LD_LIBRARY_PATH, or whether a search would not find it again."""
    if linked.soname in C_LIBRARY:
        return True
    through_another = linked.rule is RUNPATH and linked.needed_by != closure.program.path
    return linked.rule in (RPATH, PATH) or through_another or b"/" in linked.soname


def _renamed(linked: Linked) -> bool:
    """Tell whether ld.so, having loaded the library by path, does not know it by its name in the decision."""
    assert linked.image is not None
    dynamic = linked.image.dynamic
    return b"/" not in linked.soname and (dynamic is None or dynamic.soname != linked.soname)
