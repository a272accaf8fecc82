"""The layout of a bundle: where a program's files are in it, and its decision with those paths (pure).

NAME                      the launcher
bundle/decision           paths in it begin with PLACE; the launcher puts the bundle's own there
bundle/decisions/NAME     about programs of the tree, each at the program's own path in it
bundle/decision-any       about programs that the program unpacks
bundle/denizen-loader     starts what the program executes
bundle/denizen-inside, bundle/denizen-resident
bundle/lib/SONAME         libraries from packages, flat
bundle/program/NAME       the program, with what belongs to it at the same distance
bundle/script/NAME        a script of which the program is the interpreter, with what belongs to it
bundle/data/usr/share/... files that libraries open at fixed paths
"""

from __future__ import annotations

import posixpath

from denizen.launch.decisions.program_identity import Identity
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from denizen.launch.decisions.decision import Decision

# How the launcher (loader/bundle.c) knows a path of the bundle.
PLACE = b"/@bundle/"
DIRECTORY = b"bundle"
DECISION = b"decision"
ANY_DECISION = b"decision-any"
LOADER, INSIDE, RESIDENT = b"denizen-loader", b"denizen-inside", b"denizen-resident"
DECISIONS = b"decisions"
LIBRARIES = b"lib"
PROGRAM = b"program"
SCRIPT = b"script"
DATA = b"data"
# An argument that the launcher replaces by the numbers of ignored signals (loader/ignored_signals.h).
IGNORED_SIGNALS = b"/@ignored-signals"
# Arguments that the launcher gives its program before those of a start (loader/bundle.c).
MAX_ARGUMENTS = 31
NOBODY = Identity(0, 0, 0, 0, 0)


def bundled_decision(
    decision: Decision,
    program: bytes,
    places: Mapping[bytes, bytes],
    *,
    data: bool,
    resident: bool,
    whole: bool,
) -> Decision:
    """Return the decision with the paths that files have in the bundle; it depends on nothing outside.

    Args:
        decision: about the program, with paths of this host.
        program: the program's name in the bundle.
        places: path here -> name in the bundle, of the dynamic linker and all libraries.
        data: the bundle has files for fixed paths.
        whole: the program's tree is in the bundle; the program is called by its path there, by which some
            look for the tree.
        resident: the bundle has the library that answers dlopen for objects with a DT_RUNPATH.
    """
    names = {**places, decision.search: LIBRARIES, decision.program: program}
    made = relocated_decision(
        decision,
        lambda path: PLACE + names[path],
        resources=PLACE + DATA if data else b"",
        resident=resident,
    )
    return replace(made, shown=PLACE + program if whole else b"")


def relocated_decision(
    decision: Decision, placed: Callable[[bytes], bytes], *, resources: bytes, resident: bool
) -> Decision:
    """Return the decision for a launcher whose files stay where they are, in a root that is / to it.

    Args:
        decision: about the program, with paths of this host.
        placed: returns the path that a file has in that root.
        resources: the directory there with files for fixed paths, b"" for none.
        resident: the launcher has the library that answers dlopen for objects with a DT_RUNPATH.
    """
    search = placed(decision.search)
    return replace(
        decision,
        identity=NOBODY,
        ldso=placed(decision.ldso),
        search=search,
        program=placed(decision.program),
        libraries=tuple(replace(one, path=placed(one.path)) for one in decision.libraries),
        objects=(),
        command=(),
        shown=b"",
        resources=resources,
        opened=search if resident and decision.opened else b"",
    )


def program_name(path: bytes, tree: bytes) -> bytes:
    """Return the name in the bundle of a file below `tree`, the directory that belongs to the program."""
    return posixpath.join(PROGRAM, posixpath.relpath(path, tree))


def decision_name(program: bytes) -> bytes:
    """Return the name of the decision about a program of the tree, by the program's name in the bundle."""
    return posixpath.join(DECISIONS, posixpath.relpath(program, PROGRAM))


def decision_about_any(decision: Decision) -> Decision | None:
    """Return how a program is started that nobody knew: its libraries are searched for by name.

    Return None for a C library of which that is not known to work.
    """
    if decision.by_name:
        return None
    edits = tuple(one for one in decision.edits if not one.program)
    return replace(decision, headers=bytes(len(decision.headers)), build_id=b"", libraries=(), edits=edits)


def script_name(path: bytes, tree: bytes) -> bytes:
    """Return the name in the bundle of a script, or of a file of the directory `tree` that goes with it."""
    return posixpath.join(SCRIPT, posixpath.relpath(path, tree) if tree else posixpath.basename(path))
